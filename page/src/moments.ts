/** Moments and spans of time as text, in the reader's own time zone. */

import { integer } from "./numbers";

const NO_BREAK = "\u00a0";
const DAY_MS = 86_400_000;

/** A moment that is over: `today, 14:02`, `yesterday, 18:20`, `2026-03-10`. */
export function day(moment: string, now = new Date()): string {
  const then = new Date(moment);
  const days = Math.round((midnight(now) - midnight(then)) / DAY_MS);
  return days === 0 || days === 1 ? `${days === 0 ? "today" : "yesterday"}, ${clock(then, 5)}` : date(then);
}

/** A moment of what goes on: `14:31:07`, or with its day before today. */
export function time(moment: string, now = new Date()): string {
  const then = new Date(moment);
  return midnight(now) === midnight(then) ? clock(then, 8) : `${date(then)}, ${clock(then, 5)}`;
}

/** How long something took: `0.4 s`, `41 s`, `1,204 s`. */
export function span(seconds: number): string {
  return `${seconds < 10 ? seconds.toFixed(1) : integer(Math.round(seconds))}${NO_BREAK}s`;
}

export function secondsBetween(start: string, end: string): number {
  return Math.max(0, (Date.parse(end) - Date.parse(start)) / 1_000);
}

function midnight(moment: Date): number {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}

function clock(moment: Date, characters: number): string {
  return moment.toLocaleTimeString("en-GB").slice(0, characters);
}

function date(moment: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}
