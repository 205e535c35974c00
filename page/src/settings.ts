/** What is asked of each simulator, as it stands in the run bar: texts that may still be wrong. */

import type { ComparisonRequest, Sampler } from "./messages";
import { integer } from "./numbers";

export type Ask = "shots" | "resolution" | "exact";

export interface Settings {
  ask: Ask;
  shots: string;
  resolution: string;
  seed: string;
  sampler: Sampler;
}

export const DEFAULTS: Settings = { ask: "shots", shots: "10,000", resolution: "0.02", seed: "7", sampler: "auto" };

const SEED_END = 2 ** 32;

/** A value, or the sentence that says why there is none. */
export type Read<T> = { value: T } | { wrong: string };

export function readShots(text: string): Read<number> {
  const value = wholeNumber(text);
  return value !== undefined && value >= 1
    ? { value }
    : { wrong: "The number of shots is a whole number from 1 on, such as 10,000." };
}

export function readResolution(text: string): Read<number> {
  const value = /^\s*\d*\.?\d+(e-?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN;
  return value > 0 && value < 1
    ? { value }
    : { wrong: "The distance to find is a number between 0 and 1, such as 0.02." };
}

/** A seed, or null: each simulator then draws its own. */
export function readSeed(text: string): Read<number | null> {
  if (!text.trim()) {
    return { value: null };
  }
  const value = wholeNumber(text);
  return value !== undefined && value < SEED_END
    ? { value }
    : { wrong: `The seed is a whole number from 0 to ${integer(SEED_END - 1)}, or nothing.` };
}

/** The fields of a request that settings stand for, or what is wrong with them. */
export function readSettings(settings: Settings): Read<Partial<ComparisonRequest>> {
  const seed = readSeed(settings.seed);
  if ("wrong" in seed) {
    return seed;
  }
  const rest = { seed: seed.value, sampling: settings.sampler };
  switch (settings.ask) {
    case "exact":
      return { value: { ...rest, shots: null, exact: true } };
    case "shots": {
      const shots = readShots(settings.shots);
      return "wrong" in shots ? shots : { value: { ...rest, shots: shots.value } };
    }
    case "resolution": {
      const resolution = readResolution(settings.resolution);
      return "wrong" in resolution ? resolution : { value: { ...rest, resolution: resolution.value } };
    }
  }
}

/** The settings that a request was made with. */
export function settingsOf(request: ComparisonRequest): Settings {
  return {
    ...DEFAULTS,
    ...(request.shots ? { shots: integer(request.shots) } : {}),
    ...(request.resolution ? { ask: "resolution", resolution: String(request.resolution) } : {}),
    ...(isForExact(request) ? { ask: "exact" } : {}),
    seed: request.seed === undefined || request.seed === null ? "" : String(request.seed),
    sampler: request.sampling ?? "auto",
  };
}

/** Whether a request is one of those that this page sends for exact results: without shots, to simulators by name. */
function isForExact({ shots, resolution, exact = true, simulators }: ComparisonRequest): boolean {
  return !shots && !resolution && exact && Boolean(simulators);
}

/** What a request asks for that the run bar does not show. */
export function furtherOf(request: ComparisonRequest): Partial<ComparisonRequest> {
  const { circuits, simulators, shots, resolution, seed, sampling, ...further } = request;
  return further;
}

/** Settings as one line: `10,000 shots, seed 7, shared sampler`. */
export function inOneLine(settings: Settings): string {
  const seed = settings.seed.trim() ? `seed ${settings.seed.trim()}` : "any seed";
  const sampler = `${settings.sampler === "auto" ? "shared" : "native"} sampler`;
  switch (settings.ask) {
    case "exact":
      return "Exact results";
    case "shots":
      return `${settings.shots} shots, ${seed}, ${sampler}`;
    case "resolution":
      return `Distance ${settings.resolution}, ${seed}, ${sampler}`;
  }
}

function wholeNumber(text: string): number | undefined {
  const digits = text.replace(/[,_\s]/g, "");
  const value = Number(digits);
  return /^\d+$/.test(digits) && Number.isSafeInteger(value) ? value : undefined;
}
