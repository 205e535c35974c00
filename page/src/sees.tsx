/** The sentence beneath the run bar: what these shots find, why nothing can be run, or how long it takes yet. */

import type { ComponentChildren } from "preact";
import type { CircuitInfo, ComparisonInfo, ComparisonRequest, Diagnostic, DoorInfo } from "./messages";
import { duration, inWords } from "./numbers";
import { PageLink } from "./page-link";
import { Said } from "./said";
import type { readSettings, Settings } from "./settings";

interface Doubts {
  door: DoorInfo;
  circuit: CircuitInfo | undefined;
  asked: ReturnType<typeof readSettings>;
  chosen: string[];
  goTo: (error: Diagnostic) => void;
}

/** Why nothing can be run; undefined if something can. */
export function whatIsWrong({ door, circuit, asked, chosen, goTo }: Doubts): ComponentChildren | undefined {
  const errors = circuit?.errors ?? [];
  if (door.needs_token && !door.rights?.includes("compare")) {
    return `The token ${door.name ?? ""} has no right to compare; whoever keeps the tokens of this gateway can give it.`;
  }
  if ("wrong" in asked) {
    return asked.wrong;
  }
  if (errors.length > 0) {
    return <ErrorPlaces errors={errors} goTo={goTo} />;
  }
  return circuit && chosen.length === 0 ? "No simulator is chosen that can run this circuit." : undefined;
}

/** What a run would find, and what it asks for besides. */
export function whatIsSeen(circuit: CircuitInfo | undefined, { ask }: Settings, further: string[]): ComponentChildren {
  const exact = ask === "exact" ? "10,000 shots of each are compared besides." : "";
  const more = further.length > 0 ? `As in the comparison shown: ${further.join(", ")}.` : "";
  return <Said text={[circuit?.note ?? "", exact, more].filter(Boolean).join(" ")} />;
}

/** The names of what a request asks for that the run bar does not show, where it is no default. */
export function besides(further: Partial<ComparisonRequest> = {}): string[] {
  const words: [keyof ComparisonRequest, string][] = [
    ["repeat", `${further.repeat} runs of each circuit`],
    ["noise", "noise"],
    ["false_alarm_rate", `a false alarm rate of ${further.false_alarm_rate}`],
    ["side_by_side", "all simulators at the same time"],
    ["timeout_s", `at most ${further.timeout_s} s for a run`],
    ["time_limit_s", `at most ${further.time_limit_s} s for all runs`],
  ];
  const said = words.filter(([key]) => further[key] !== undefined && further[key] !== null && further[key] !== false);
  const without: string[] = [];
  if (further.exact === false) {
    without.push("no exact results");
  }
  if (further.reproduce === false) {
    without.push("no reproducer");
  }
  return [...said.map(([, word]) => word), ...without];
}

export function whileRunning({ progress }: ComparisonInfo, further: Partial<ComparisonRequest> = {}): string {
  const order = further.side_by_side
    ? "All run at the same time, so that their times do not compare."
    : "Runs follow one another, so that their times compare.";
  return progress?.left_s ? `${order} About ${left(progress.left_s)} left.` : order;
}

function left(seconds: number): string {
  return seconds < 100 ? `${Math.max(1, Math.round(seconds))}\u00a0s` : duration(seconds);
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
