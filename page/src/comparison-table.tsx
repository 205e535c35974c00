// biome-ignore-all lint/a11y/noRedundantRoles: on a phone CSS lays the table out as blocks, which takes its roles away.
import { useState } from "preact/hooks";
import { send, sentence } from "./api";
import { Mark, type MarkName } from "./marks";
import { type ComparisonInfo, isFinal } from "./messages";
import { day, secondsBetween, span, time } from "./moments";
import { integer, several } from "./numbers";
import { fragment } from "./route";
import { visible } from "./visible";

interface TableProps {
  title: string;
  comparisons: ComparisonInfo[];
  /** The name of the reader's token; undefined where nobody needs one, and so nobody has a name. */
  me: string | undefined;
  /** Hears that one was cancelled; without it none of them can be. */
  onCancelled?: () => void;
}

/** Comparisons, one in each row; the verdict leads to the result. */
export function ComparisonTable({ title, comparisons, me, onCancelled }: TableProps) {
  const heads: [string, string][] = [
    ["verdict-head", onCancelled ? "so far" : "verdict"],
    ["circuit-head", "circuit"],
    ["count number optional", "simulators"],
    ["shots number", "shots"],
    ["started number", "started"],
    ["took number optional", "took"],
    ...(me === undefined ? [] : [["by", "by"] as [string, string]]),
  ];
  return (
    <table class="comparison-table" role="table">
      <caption class="hidden">{title}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {heads.map(([kind, text]) => (
            <th key={text} class={kind} role="columnheader" scope="col">
              {text}
            </th>
          ))}
          {onCancelled ? (
            <th class="cancel" role="columnheader" scope="col">
              <span class="hidden">cancel</span>
            </th>
          ) : (
            <td class="cancel" role="cell" />
          )}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {comparisons.map((info) => (
          <Row key={info.id} info={info} me={me} {...(onCancelled ? { onCancelled } : {})} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps extends Pick<TableProps, "me" | "onCancelled"> {
  info: ComparisonInfo;
}

function Row({ info, me, onCancelled }: RowProps) {
  const { circuits = [], simulators = [] } = info;
  const started = info.started ?? info.created;
  const when = isFinal(info.state) ? day(started) : time(started);
  const by = who(info.by, me);
  const inALine = [several(simulators.length, "simulator"), when, took(info), by].filter(Boolean).join(", ");
  return (
    <tr role="row">
      <td class="verdict-cell" role="cell">
        <Told info={info} me={me} />
      </td>
      <td class="circuit-cell" role="cell">
        {visible(circuits[0] ?? "")}
        {circuits.length > 1 && ` and ${integer(circuits.length - 1)} more`}
        <small>{info.summary}</small>
      </td>
      <td class="number wide-only optional" role="cell">
        {integer(simulators.length)}
      </td>
      <td class="number wide-only" role="cell">
        {info.resolution ? `resolution ${info.resolution}` : info.shots ? integer(info.shots) : ""}
      </td>
      <td class="number wide-only" role="cell">
        {when}
      </td>
      <td class="number wide-only optional" role="cell">
        {took(info)}
      </td>
      {me !== undefined && (
        <td class="wide-only" role="cell">
          {by}
        </td>
      )}
      <td class="cancel number" role="cell">
        {onCancelled && <Cancel info={info} onCancelled={onCancelled} />}
      </td>
      <td class="meta narrow-only" role="cell">
        {inALine}
      </td>
    </tr>
  );
}

function took({ state, started, ended, progress }: ComparisonInfo): string {
  if (isFinal(state)) {
    return started && ended ? span(secondsBetween(started, ended)) : "";
  }
  return progress?.seconds ? span(progress.seconds) : "";
}

/** The name of a person, as the reader knows it; empty where nobody needs a token, and so nobody has a name. */
function who(name = "", me?: string): string {
  return me === undefined ? "" : name === me ? "you" : visible(name);
}

/** The mark and the verdict, or how far it is: a link to the result. */
function Told({ info, me }: Pick<RowProps, "info" | "me">) {
  const { circuits = [], progress } = info;
  const share = done(info);
  const mark = markOf(info);
  return (
    <div class="told-in-short">
      {mark ? <Mark name={mark} /> : <span />}
      <div>
        <a href={fragment("compare", { comparison: info.id })}>
          <Words info={info} me={me} />
        </a>
        {info.state === "running" && progress && (
          <progress max={100} value={share} aria-label={visible(circuits[0] ?? "progress")}>
            {share} %
          </progress>
        )}
      </div>
    </div>
  );
}

/** The mark of what it has come to; one that is undecided has none. */
function markOf({ state, standing }: ComparisonInfo): MarkName | undefined {
  if (state === "queued" || state === "running" || state === "failed") {
    return state;
  }
  if (standing === "differs") {
    return "differs";
  }
  return state === "cancelled" ? "cancelled" : standing === "agrees" || standing === "failed" ? standing : undefined;
}

/** What is shown of a verdict in a list: what follows below a result does not follow here. */
const BELOW = /[;.] (?:[\d,]+-operation reproducer|[\d,]+ reproducers) below/;

function Words({ info, me }: Pick<RowProps, "info" | "me">) {
  const [loud = "", quiet = ""] = (info.told ?? []).map(visible);
  switch (info.state) {
    case "queued":
      return <>{info.before ? `Queued, ${integer(info.before)} before it` : "Queued, it runs next"}</>;
    case "running": {
      const { finished = 0, lines = [], sentence: said = "" } = info.progress ?? {};
      const all = lines.length || (info.simulators?.length ?? 0);
      const rest = info.cancelled_by ? "it is being cancelled" : said.replace(/\.$/, "");
      return (
        <>
          <b>
            {finished} of {all} {finished === 1 ? "has" : "have"} finished{rest && ";"}
          </b>
          {rest && ` ${rest}`}
        </>
      );
    }
    case "failed":
      return <>Failed: {visible(info.error?.detail ?? info.error?.title ?? "it has no record")}</>;
    case "cancelled": {
      const by = who(info.cancelled_by, me);
      return (
        <>
          Cancelled{by && ` by ${by}`}
          {loud && `. ${loud}`}
          {quiet.replace(BELOW, "")}
        </>
      );
    }
    default: {
      const isLoud = info.standing !== "agrees";
      return (
        <>
          {isLoud ? <b>{loud}</b> : loud}
          {quiet.replace(BELOW, "")}
        </>
      );
    }
  }
}

/** How much of all runs is done, in per cent. */
function done({ progress }: ComparisonInfo): number {
  const lines = progress?.lines ?? [];
  const isDone = (stage?: string) => stage === "finished" || stage === "failed";
  const sum = lines.reduce((whole, { stage, share = 0 }) => whole + (isDone(stage) ? 1 : share), 0);
  return Math.floor((100 * sum) / Math.max(lines.length, 1));
}

function Cancel({ info, onCancelled }: { info: ComparisonInfo; onCancelled: () => void }) {
  const [isSent, setSent] = useState(false);
  const [problem, setProblem] = useState("");
  const cancel = async () => {
    setSent(true);
    setProblem("");
    try {
      await send("DELETE", `v1/comparisons/${encodeURIComponent(info.id)}`);
      onCancelled();
    } catch (error) {
      setSent(false);
      setProblem(sentence(error));
    }
  };
  const isCancelling = isSent || Boolean(info.cancelled_by);
  return (
    <>
      <button type="button" disabled={isCancelling} onClick={() => void cancel()}>
        {isCancelling ? "Cancelling" : "Cancel"}
        <span class="hidden"> {visible(info.circuits?.[0] ?? "")}</span>
      </button>
      {problem && <small role="status">{problem}</small>}
    </>
  );
}
