/** Numbers as text, as gateway.look.numbers writes them. */

const NO_BREAK = "\u00a0";

function grouped(value: number, decimals = 0): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

export function integer(value: number): string {
  return grouped(value);
}

/** A duration with at most three digits, in ms below a second: `4.6 ms`, `310 ms`, `3.1 s`. */
export function duration(seconds: number): string {
  if (seconds >= 1) {
    return `${grouped(seconds, seconds < 100 ? 1 : 0)}${NO_BREAK}s`;
  }
  const milliseconds = 1e3 * seconds;
  return `${milliseconds.toFixed(milliseconds >= 100 ? 0 : milliseconds >= 1 ? 1 : 2)}${NO_BREAK}ms`;
}

export function mebibytes(bytes: number): string {
  return `${grouped(bytes / 2 ** 20)}${NO_BREAK}MiB`;
}

/** `1 qubit`, `4 qubits`. */
export function several(count: number, noun: string): string {
  return `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;
}

const WORDS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"];

/** A number that begins a sentence: `Two`, `13`. */
export function inWords(count: number): string {
  return WORDS[count] ?? integer(count);
}
