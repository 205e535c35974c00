/** The caller's token: kept for this tab of the browser only, and never part of an address. */

import { OF_TAB } from "./storage";

const KEY = "token";

export function token(): string {
  return OF_TAB.get(KEY) ?? "";
}

export function setToken(value: string): void {
  OF_TAB.set(KEY, value);
}
