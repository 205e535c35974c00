import { Mark, type MarkName } from "./marks";
import type { ComparisonInfo } from "./messages";
import { several } from "./numbers";
import type { Part } from "./part";
import { visible } from "./visible";

interface VerdictProps {
  comparison: ComparisonInfo | undefined;
  part: Part;
  away: boolean;
  problem: string;
}

const STAGES: Record<string, string> = {
  comparing: "their results are compared.",
  diagnosing: "what would explain a difference is looked for.",
  reducing: "the circuit is reduced to the smallest that shows the difference.",
};

/** The verdict first: what is known of a comparison, as one sentence. */
export function Verdict({ comparison, part, away, problem }: VerdictProps) {
  if (problem) {
    return <Sentence mark="failed" loud="There is no such result:" quiet={problem} />;
  }
  if (!comparison) {
    return away ? <Sentence mark="down" loud="The gateway does not answer just now;" quiet={ASKS_AGAIN} /> : null;
  }
  const more = away
    ? "The gateway does not answer just now. The comparison goes on if the gateway does; this page asks again."
    : "";
  switch (comparison.state) {
    case "queued":
      return <Sentence mark="queued" loud="Queued;" quiet={queue(comparison)} more={more || LEAVING} />;
    case "running":
      return <Sentence mark="running" {...progress(comparison)} more={more || LEAVING} />;
    case "failed":
      return <Sentence mark="failed" loud="The comparison failed:" quiet={comparison.error?.detail ?? ""} />;
    default:
      break;
  }
  if (part.verdict) {
    return (
      <section class="verdict" aria-label="Verdict" role="status" dangerouslySetInnerHTML={{ __html: part.verdict }} />
    );
  }
  const [loud, quiet] = comparison.told ?? ["", ""];
  return comparison.state === "cancelled" ? (
    <Sentence mark="cancelled" loud={loud || "Cancelled"} quiet={quiet || "before any simulator had finished."} />
  ) : (
    <Sentence mark="finished" loud={loud || comparison.verdict || ""} quiet={quiet} />
  );
}

const ASKS_AGAIN = "this page asks again every few seconds.";
const LEAVING = "Leaving this page does not stop the comparison: it goes on, and is kept under Comparisons.";

interface SentenceProps {
  mark: MarkName;
  loud: string;
  quiet: string;
  more?: string;
}

function Sentence({ mark, loud, quiet, more = "" }: SentenceProps) {
  return (
    <section class="verdict" aria-label="Verdict" role="status">
      <Mark name={mark} />
      <h2>
        <strong>{visible(loud)}</strong> {visible(quiet)}
      </h2>
      {more && <p>{more}</p>}
    </section>
  );
}

function queue({ before = 0 }: ComparisonInfo): string {
  return before === 0 ? "it runs next." : `${several(before, "comparison")} run${before === 1 ? "s" : ""} before it.`;
}

function progress({ progress, simulators = [], cancelled_by }: ComparisonInfo): { loud: string; quiet: string } {
  if (cancelled_by !== undefined) {
    return { loud: "Cancelling;", quiet: "what has finished is compared." };
  }
  const { finished = 0, lines = [], sentence = "", stage = "" } = progress ?? {};
  const all = lines.length || simulators.length;
  if (all > 0 && finished === all) {
    const who = all === 1 ? "It has" : all === 2 ? "Both have" : `All ${all} have`;
    return { loud: `${who} finished;`, quiet: STAGES[stage] ?? "their results are compared." };
  }
  const loud = `${finished} of ${all} ${finished === 1 ? "has" : "have"} finished;`;
  const said = sentence.replace(/\.$/, "") || (finished > 0 ? "nobody is judged before all have" : "the first runs");
  return { loud, quiet: STAGES[stage] ?? `${said}.` };
}
