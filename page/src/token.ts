/** The caller's token: kept for this tab of the browser only, and never part of an address. */

const KEY = "token";

export function token(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

export function setToken(value: string): void {
  if (value) {
    sessionStorage.setItem(KEY, value);
  } else {
    sessionStorage.removeItem(KEY);
  }
}
