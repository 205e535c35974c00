/** The fragment of the address: which screen is shown, and of what. It never has the token. */

import { useEffect, useMemo, useState } from "preact/hooks";

export type Screen = "compare" | "comparisons";

export interface Route {
  screen: Screen;
  parameters: URLSearchParams;
}

const COMPARISONS = "comparisons";

export function parse(fragment: string): Route {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  const screen = parameters.has(COMPARISONS) ? COMPARISONS : "compare";
  parameters.delete(COMPARISONS);
  return { screen, parameters };
}

/** The fragment of a screen; what is empty or absent is left out. */
export function fragment(screen: Screen, parameters: Record<string, string | undefined> = {}): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const query = new URLSearchParams(given).toString();
  return `#${[...(screen === COMPARISONS ? [COMPARISONS] : []), ...(query ? [query] : [])].join("&")}`;
}

/** Goes to a fragment: as a new entry of the history, or in the place of the present one. */
export function go(to: string, { replace = false } = {}): void {
  if (to === (location.hash || "#")) {
    return;
  }
  history[replace ? "replaceState" : "pushState"](null, "", to);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The present route: the same object until the fragment is another, though browsers tell of each change twice. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener("hashchange", follow);
    addEventListener("popstate", follow);
    return () => {
      removeEventListener("hashchange", follow);
      removeEventListener("popstate", follow);
    };
  }, []);
  return useMemo(() => parse(hash), [hash]);
}
