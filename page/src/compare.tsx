import { useEffect, useRef, useState } from "preact/hooks";
import { address, send, sentence } from "./api";
import { CircuitPane } from "./circuit-pane";
import type { Editor } from "./editor";
import { sendOnce } from "./idempotency";
import { isLinkable, toParameters } from "./link";
import { Mark } from "./marks";
import {
  type CircuitInfo,
  type ComparisonInfo,
  type ComparisonRequest,
  type Diagnostic,
  type DoorInfo,
  isFinal,
  type NamedText,
} from "./messages";
import { duration, inWords } from "./numbers";
import { PageLink } from "./page-link";
import { Result, ResultPart } from "./result";
import { fragment, type Route } from "./route";
import { rowsOf } from "./rows";
import { RunBar } from "./run-bar";
import { type Ask, readSettings } from "./settings";
import { Simulators } from "./simulators";
import { type CircuitState, useCircuit } from "./use-circuit";
import { useComparison } from "./use-comparison";
import { useDraft } from "./use-draft";
import type { Around } from "./use-simulators";
import { Verdict } from "./verdict";

interface CompareProps {
  door: DoorInfo;
  around: Around;
  /** Undefined while another screen is shown; what runs here is followed all the same. */
  route: Route | undefined;
}

const REST_MS = 200;

export function Compare({ door, around, route }: CompareProps) {
  const { draft, change, comparisonId, isEdited, show, replace, problem } = useDraft(route, door);
  const asked = draft ? readSettings(draft.settings) : { value: {} };
  const request = "value" in asked ? asked.value : {};
  const circuit = useCircuit(draft?.text, request.shots ?? null, request.resolution ?? null);
  const comparison = useComparison(comparisonId);
  const [sending, setSending] = useState<"" | "run" | "cancel">("");
  const [refused, setRefused] = useState("");
  const editor = useRef<Editor | undefined>(undefined);
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const errors = circuit.info?.errors ?? [];
  useEffect(() => editor.current?.setText(draft?.text ?? ""), [draft?.text]);
  useEffect(() => editor.current?.show(errors), [circuit.info]);
  useEffect(() => setSending(""), [comparison.info?.state]);
  useTitle(route, draft?.name, comparison.info);

  const { info, part } = comparison;
  const isRunning = info !== undefined && !isFinal(info.state) && comparison.problem === "";
  const rows = rowsOf({
    simulators: around.simulators,
    circuit: errors.length > 0 ? undefined : circuit.info,
    chosen: draft?.chosen,
    isExact: draft?.settings.ask === "exact",
    comparison: info,
    part,
  });
  const chosen = rows.filter((row) => row.canRun && row.isChosen).flatMap(({ names }) => names);
  const goTo = (error: Diagnostic) => editor.current?.goTo(error);
  const wrong = whatIsWrong({ door, circuit, asked, chosen, refused, goTo });

  const run = async () => {
    const openqasm = editor.current?.text ?? "";
    if (!draft || "wrong" in asked) {
      return;
    }
    clearTimeout(rest.current);
    setRefused("");
    setSending("run");
    const body: ComparisonRequest = { circuits: [{ name: draft.name, openqasm }], simulators: chosen, ...asked.value };
    try {
      const accepted = await sendOnce<ComparisonInfo>("v1/comparisons", body);
      change({ text: openqasm });
      show(accepted.id, openqasm);
    } catch (error) {
      setRefused(sentence(error));
    }
    setSending("");
  };
  const cancel = async () => {
    setSending("cancel");
    try {
      await send("DELETE", `v1/comparisons/${encodeURIComponent(comparisonId ?? "")}`);
    } catch (error) {
      setSending("");
      setRefused(sentence(error));
    }
  };
  const place = ({ name, openqasm }: NamedText) => {
    clearTimeout(rest.current);
    setRefused("");
    replace(name, openqasm);
  };
  const openInEditor = (openqasm: string) => place({ name: "reproducer", openqasm });
  const link = async () => {
    const present = draft && { ...draft, text: editor.current?.text ?? draft.text };
    if (!present || !(await isLinkable(present))) {
      throw new Error("The circuit is too long for a link: pass the file on instead.");
    }
    return address(fragment("compare", await toParameters(present, door.examples ?? [])));
  };

  return (
    <main class="compare" hidden={route === undefined}>
      <CircuitPane
        name={draft?.name ?? ""}
        examples={door.examples ?? []}
        circuit={circuit}
        suspects={isEdited ? [] : part.suspects}
        hasResult={comparisonId !== undefined}
        onEditor={(made) => {
          editor.current = made;
          made.setText(draft?.text ?? "");
        }}
        onEdit={() => {
          clearTimeout(rest.current);
          rest.current = setTimeout(() => change({ text: editor.current?.text ?? "" }), REST_MS);
        }}
        onReplace={place}
        link={link}
        goTo={goTo}
      />
      <div class="result" id="result" tabIndex={-1}>
        {draft && (
          <RunBar
            settings={draft.settings}
            onChange={(settings) => {
              setRefused("");
              change({ settings });
            }}
            sees={isRunning ? whileRunning(info) : (wrong ?? whatIsSeen(circuit.info, draft.settings.ask))}
            isWrong={!isRunning && wrong !== undefined}
            canRun={wrong === undefined || refused !== ""}
            count={chosen.length}
            hasResult={info !== undefined}
            isRunning={isRunning}
            isCancelling={sending === "cancel" || info?.cancelled_by !== undefined}
            isSending={sending === "run"}
            onRun={() => void run()}
            onCancel={() => void cancel()}
          />
        )}
        {around.away && comparisonId === undefined && (
          <p class="notice" role="status">
            <Mark name="down" /> The gateway does not answer just now; this page asks again every few seconds.
          </p>
        )}
        {problem && (
          <p class="notice" role="status">
            <Mark name="failed" /> {problem}
          </p>
        )}
        {comparisonId === undefined ? (
          <p class="soft">
            Runs the circuit on every simulator chosen. A referee then says who agrees, who differs, and what would
            explain it.
          </p>
        ) : (
          <Verdict comparison={info} part={part} away={comparison.away} problem={comparison.problem} />
        )}
        {isEdited && (
          <p class="soft small edited">The text has changed since: this is the result of the earlier one.</p>
        )}
        {!isRunning && info && <ResultPart comparison={info} html={part.above} openInEditor={openInEditor} />}
        <Simulators
          rows={rows}
          heads={part.heads}
          onChoose={(names, isChosen) => {
            const before = rows.filter((row) => row.isChosen).flatMap((row) => row.names);
            const others = before.filter((name) => !names.includes(name));
            const now = isChosen ? [...others, ...names] : others;
            change({ chosen: now.length === rows.flatMap((row) => row.names).length ? undefined : now });
          }}
        />
        {info && <Result comparison={info} html={part.below} openInEditor={openInEditor} />}
      </div>
    </main>
  );
}

interface Doubts {
  door: DoorInfo;
  circuit: CircuitState;
  asked: ReturnType<typeof readSettings>;
  chosen: string[];
  refused: string;
  goTo: (error: Diagnostic) => void;
}

/** Why nothing can be run, or was not; undefined if something can. */
function whatIsWrong({ door, circuit, asked, chosen, refused, goTo }: Doubts): preact.ComponentChildren | undefined {
  const errors = circuit.info?.errors ?? [];
  if (door.rights && !door.rights.includes("compare")) {
    return `The token ${door.name ?? ""} has no right to compare; whoever keeps the gateway's tokens can give it.`;
  }
  if ("wrong" in asked) {
    return asked.wrong;
  }
  if (errors.length > 0) {
    return <ErrorPlaces errors={errors} goTo={goTo} />;
  }
  if (circuit.info && chosen.length === 0) {
    return "No simulator is chosen that can run this circuit.";
  }
  return refused || undefined;
}

const MOST_PLACES = 5;

function ErrorPlaces({ errors, goTo }: { errors: Diagnostic[]; goTo: (error: Diagnostic) => void }) {
  const places = errors.filter(({ line }) => line).slice(0, MOST_PLACES);
  return (
    <>
      {inWords(errors.length)} error{errors.length === 1 ? "" : "s"} in the circuit
      {places.map((error, at) => (
        <span key={`${error.line}:${error.column}:${error.message}`}>
          {at === 0 ? ": " : ", "}
          <PageLink to="editor" onFollow={() => goTo(error)}>
            line {error.line}
          </PageLink>
        </span>
      ))}
      .
    </>
  );
}

function whatIsSeen(info: CircuitInfo | undefined, ask: Ask): string {
  const note = info?.note ?? "";
  return ask === "exact" ? `${note} Besides, 10,000 shots of each are compared.`.trim() : note;
}

function whileRunning({ progress }: ComparisonInfo): string {
  const left = progress?.left_s
    ? ` About ${duration(Math.max(1, Math.round(progress.left_s))).replace(".0", "")} left.`
    : "";
  return `Runs follow one another, so that their times compare.${left}`;
}

function useTitle(route: Route | undefined, name: string | undefined, info: ComparisonInfo | undefined): void {
  useEffect(() => {
    if (route) {
      const what = (info && (info.verdict || info.state)) || name;
      document.title = what ? `${what} - Simulator Gateway` : "Simulator Gateway";
    }
  }, [route, name, info?.verdict, info?.state]);
}
