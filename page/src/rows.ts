/** The rows of the table of simulators: the same before, during and after a run, in the same order. */

import type { MarkName } from "./marks";
import {
  type CircuitInfo,
  type ComparisonInfo,
  type Estimate,
  isFinal,
  type SimulatorInfo,
  type SimulatorProgress,
} from "./messages";
import { duration } from "./numbers";
import type { Part, Row } from "./part";

export interface SimulatorRow {
  /** Several, if they cannot run the circuit for the same reason. */
  names: string[];
  version: string;
  /** Whether the simulator could run the circuit now. */
  canRun: boolean;
  isChosen: boolean;
  mark?: MarkName;
  /** The state in words. */
  says: string;
  /** How much is done, from 0 to 1, while that is known. */
  share?: number;
  /** How long it has run, as text. */
  spent?: string;
  estimate?: Estimate;
  /** What it did; its cells take the place of the others. */
  did?: Row;
  /** A sentence for the row beneath. */
  reason: string;
}

interface Known {
  simulators: SimulatorInfo[];
  /** About the present text; undefined while that has errors. */
  circuit: CircuitInfo | undefined;
  /** The names of those that are chosen; undefined for all. */
  chosen: string[] | undefined;
  /** Whether only those are asked that have exact results. */
  isExact: boolean;
  comparison: ComparisonInfo | undefined;
  part: Part;
}

export function rowsOf(known: Known): SimulatorRow[] {
  const rows = [...known.simulators, ...gone(known)].map((simulator) => rowOf(simulator, known));
  return together(rows);
}

/** The simulators of a comparison that the door does not have any more. */
function gone({ simulators, comparison }: Known): SimulatorInfo[] {
  const missing = (comparison?.simulators ?? []).filter((name) => !simulators.some((known) => known.name === name));
  return missing.map((name) => ({ name, state: "down", reason: "It is not behind this gateway any more." }));
}

function rowOf(simulator: SimulatorInfo, { circuit, chosen, isExact, comparison, part }: Known): SimulatorRow {
  const { name } = simulator;
  const estimate = circuit?.estimates?.find((found) => found.simulator === name);
  const did = part.rows.get(name);
  const row: SimulatorRow = {
    names: [name],
    version: versionOf(simulator),
    canRun: simulator.state === "ready" && estimate?.runs !== false && !(isExact && estimate && !estimate.exact),
    isChosen: chosen === undefined || chosen.includes(name),
    says: simulator.state,
    reason: simulator.reason ?? "",
    ...(estimate ? { estimate } : {}),
  };
  const line = comparison?.progress?.lines?.find((found) => found.simulator === name);
  if (did?.cells.length) {
    return { ...row, did, reason: "" };
  }
  if (comparison && line && !isFinal(comparison.state)) {
    return { ...row, ...running(line, comparison), reason: "" };
  }
  return { ...row, ...waiting(simulator, estimate, isExact) };
}

/** The version, after the distribution that has it: `cirq-core 1.7.0`. */
function versionOf({ distribution = "", backend }: SimulatorInfo): string {
  return backend ? `${distribution} ${backend.version}`.trim() : "";
}

function waiting(simulator: SimulatorInfo, estimate: Estimate | undefined, isExact: boolean): Partial<SimulatorRow> {
  if (simulator.state === "down") {
    return { mark: "down" };
  }
  if (simulator.state === "starting") {
    return { mark: "queued" };
  }
  if (estimate?.runs === false) {
    return { mark: "cannot", says: "cannot run it", reason: estimate.reason ?? "" };
  }
  if (isExact && estimate && !estimate.exact) {
    return {
      mark: "cannot",
      says: "no exact results",
      reason: "It has none of this circuit; ask for shots to include it.",
    };
  }
  const waiting = simulator.load?.waiting ?? 0;
  return waiting > 0 ? { mark: "queued", says: `ready, ${waiting} waiting` } : {};
}

function running(line: SimulatorProgress, comparison: ComparisonInfo): Partial<SimulatorRow> {
  const spent = line.seconds ? { spent: duration(line.seconds) } : {};
  switch (line.stage ?? "queued") {
    case "queued":
      return { mark: "queued", says: `queued, ${turn(line, comparison)}` };
    case "finished":
      return { mark: "finished", says: "finished", ...spent };
    case "failed":
      return { mark: "failed", says: "failed", ...spent };
    default: {
      const word = line.stage === "exact" ? "exact results" : (line.stage ?? "running");
      const { share } = line;
      return share === undefined
        ? { mark: "running", says: word, ...spent }
        : { mark: "running", says: `${word}, ${Math.floor(100 * share)}\u00a0%`, share, ...spent };
    }
  }
}

/** When it is the turn of one that is queued: `next`, `2nd`. */
function turn(line: SimulatorProgress, comparison: ComparisonInfo): string {
  const queued = (comparison.progress?.lines ?? []).filter(({ stage = "queued" }) => stage === "queued");
  const place = queued.indexOf(line) + 1;
  const ending = place % 100 >= 11 && place % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][place % 10] ?? "th");
  return place === 1 ? "next" : `${place}${ending}`;
}

/** Those that cannot run the circuit for the same reason share the row of the first. */
function together(rows: SimulatorRow[]): SimulatorRow[] {
  const kept: SimulatorRow[] = [];
  for (const row of rows) {
    const same = kept.find(({ mark, reason }) => row.mark === "cannot" && mark === "cannot" && reason === row.reason);
    if (same) {
      same.names = [...same.names, ...row.names];
      same.version = "";
    } else {
      kept.push({ ...row });
    }
  }
  return kept;
}
