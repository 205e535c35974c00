import { useEffect, useRef, useState } from "preact/hooks";
import { address } from "./api";
import { CircuitPane } from "./circuit-pane";
import { isLinkable, ownName, toParameters } from "./link";
import { Mark } from "./marks";
import { type ComparisonInfo, type ComparisonRequest, type DoorInfo, isFinal, type NamedText } from "./messages";
import { Result, ResultPart, type ResultProps } from "./result";
import { fragment, type Route } from "./route";
import { rowsOf } from "./rows";
import { RunBar } from "./run-bar";
import { besides, whatIsSeen, whatIsWrong, whileRunning } from "./sees";
import { DEFAULTS, readSettings, type Settings } from "./settings";
import { Simulators } from "./simulators";
import { useCircuit } from "./use-circuit";
import { useComparison } from "./use-comparison";
import { useDraft } from "./use-draft";
import { useRun } from "./use-run";
import type { Around } from "./use-simulators";
import { useText } from "./use-text";
import { Verdict } from "./verdict";
import { visible } from "./visible";

interface CompareProps {
  door: DoorInfo;
  around: Around;
  /** Undefined while another screen is shown; what runs here is followed all the same. */
  route: Route | undefined;
}

/** The screen on which a circuit is written, run and judged. */
export function Compare({ door, around, route }: CompareProps) {
  const { examples = [] } = door;
  const { draft, change, comparisonId, isEdited, circuits, show, replace, problem } = useDraft(route, examples);
  const settings = draft?.settings ?? DEFAULTS;
  const asked = readSettings(settings);
  const sought = useLastValid("value" in asked ? asked.value : undefined);
  const text = useText(draft?.text, (openqasm) => change({ text: openqasm }));
  const states = around.simulators.map(({ name, state, since = "" }) => `${name} ${state} ${since}`).join();
  const known = around.isAsked ? draft?.text : undefined;
  const circuit = useCircuit(known, sought.shots ?? null, sought.resolution ?? null, states);
  const [accepted, setAccepted] = useState<ComparisonInfo>();
  const comparison = useComparison(comparisonId, accepted);
  const { info, part } = comparison;
  const run = useRun(info, (accepted, { circuits }) => {
    setAccepted(accepted);
    show(accepted.id, circuits[0]?.openqasm ?? "");
  });
  const [wish, setWish] = useState<{ settings: Settings; openqasm: string }>();

  const errors = circuit.info?.errors ?? [];
  useEffect(() => text.editor.current?.show(errors), [circuit.info]);
  useEffect(() => run.forget(), [draft?.text, draft?.settings, comparisonId]);
  useEffect(() => {
    if (!around.away) {
      run.forget();
    }
  }, [around.away]);
  useTitle(route, draft?.name, info);

  const isRunning = info !== undefined && !isFinal(info.state) && comparison.problem === "";
  const rows = rowsOf({
    simulators: around.simulators,
    circuit: errors.length > 0 ? undefined : circuit.info,
    chosen: draft?.chosen,
    isExact: settings.ask === "exact",
    comparison: info,
    part,
  });
  const able = rows.filter((row) => row.canRun && row.isChosen).flatMap(({ names }) => names);
  const wrong = whatIsWrong({
    door,
    circuit: circuit.info,
    asked,
    chosen: able,
    goTo: (error) => text.editor.current?.goTo(error),
  });

  const isExample = examples.some(({ name, openqasm }) => name === draft?.name && openqasm === draft.text);
  const start = (settings: Settings) => setWish({ settings, openqasm: text.settle() });
  useEffect(() => {
    if (!wish || !draft || (wish.openqasm === draft.text && !circuit.isAboutText)) {
      return; // who can run this very text is not known yet
    }
    setWish(undefined);
    const read = readSettings(wish.settings);
    if (wish.openqasm === draft.text && wrong === undefined && able.length > 0 && "value" in read) {
      const name = isExample ? draft.name : ownName(draft.name, examples);
      const asked: NamedText = { name, openqasm: draft.text };
      const request: ComparisonRequest = { ...draft.further, circuits: [asked], simulators: able, ...read.value };
      void run.start(request);
    }
  }, [wish, draft?.text, circuit.isAboutText]);
  const waiting = wish ? FIRST_CHECKED : run.isLate ? NOT_ANSWERED : "";
  const place = ({ name, openqasm }: NamedText) => {
    text.settle();
    replace(name, openqasm);
  };
  const link = async () => {
    const present = draft && { ...draft, text: text.now() };
    if (!present || !(await isLinkable(present))) {
      throw new Error("The circuit is too long for a link; its file can be passed on instead.");
    }
    return address(fragment("compare", await toParameters(present, examples)));
  };
  const choose = (names: string[], isChosen: boolean) => {
    const others = rows
      .filter((row) => row.isChosen)
      .flatMap((row) => row.names)
      .filter((name) => !names.includes(name));
    const now = isChosen ? [...others, ...names] : others;
    change({ chosen: now.length === rows.flatMap((row) => row.names).length ? undefined : now });
  };

  const shared: Pick<ResultProps, "openInEditor" | "runWithResolution"> = {
    openInEditor: (openqasm) => place({ name: "reproducer", openqasm }),
    runWithResolution: (resolution) => {
      const finer: Settings = { ...settings, ask: "resolution", resolution: String(resolution) };
      change({ settings: finer });
      start(finer);
    },
  };

  return (
    <main class="compare" hidden={route === undefined}>
      <CircuitPane
        name={draft?.name ?? ""}
        isExample={isExample}
        examples={examples}
        circuit={circuit}
        suspects={isEdited ? [] : part.suspects}
        hasResult={comparisonId !== undefined}
        onEditor={text.onEditor}
        onEdit={text.onEdit}
        onReplace={place}
        link={link}
        goTo={(error) => text.editor.current?.goTo(error)}
      />
      <div class="result" id="result" tabIndex={-1}>
        <RunBar
          settings={settings}
          onChange={(changed) => change({ settings: changed })}
          sees={
            waiting ||
            (isRunning
              ? run.refused || whileRunning(info, draft?.further)
              : (wrong ?? (run.refused || whatIsSeen(circuit.info, settings, besides(draft?.further)))))
          }
          isWrong={waiting === "" && (run.refused !== "" || (!isRunning && wrong !== undefined))}
          isWaiting={waiting !== ""}
          canRun={draft !== undefined && wrong === undefined && able.length > 0}
          count={able.length}
          hasResult={info !== undefined}
          isRunning={isRunning}
          isCancelling={run.isCancelling}
          onRun={() => start(settings)}
          onCancel={() => void run.cancel()}
        />
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
        {comparison.hidden && (
          <p class="notice" role="status">
            <Mark name="failed" /> The result cannot be shown: {comparison.hidden}
          </p>
        )}
        {isEdited && (
          <p class="soft small beneath">The text has changed since; this is the result of the earlier one.</p>
        )}
        {circuits.length > 1 && (
          <p class="soft small beneath">
            {circuits.length} circuits were compared; the editor has the first, {visible(circuits[0] ?? "")}, and would
            run it alone.
          </p>
        )}
        {info && !isRunning && <ResultPart {...shared} comparison={info} html={part.above} />}
        <Simulators rows={rows} heads={part.heads} onChoose={choose} />
        {info && <Result {...shared} comparison={info} html={part.below} />}
      </div>
    </main>
  );
}

const FIRST_CHECKED = "It runs as soon as the circuit has been checked.";
const NOT_ANSWERED = "The gateway has been asked to run this, and has not answered yet.";

/** What was last asked for validly, while the fields say something else for a moment. */
function useLastValid(value: Partial<ComparisonRequest> | undefined): Partial<ComparisonRequest> {
  const last = useRef(value ?? {});
  last.current = value ?? last.current;
  return last.current;
}

function useTitle(route: Route | undefined, name: string | undefined, info: ComparisonInfo | undefined): void {
  useEffect(() => {
    if (route) {
      const what = (info && (info.verdict || info.state)) || name;
      document.title = what ? `${what} - Simulator Gateway` : "Simulator Gateway";
    }
  }, [route, name, info?.verdict, info?.state]);
}
