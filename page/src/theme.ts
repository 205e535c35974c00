/** Light or dark, as the system or as the reader wants it; kept in the browser. */

import { useState } from "preact/hooks";
import { LOCAL } from "./storage";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const KEY = "theme";

function kept(): Theme {
  return THEMES.find((theme) => theme === LOCAL.get(KEY)) ?? "auto";
}

function show(theme: Theme): void {
  if (theme === "auto") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
}

/** Shows the theme that was kept, before anything else is drawn. */
export function showKept(): void {
  show(kept());
}

/** The theme, and a function that goes on to the next. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(kept);
  const next = () => {
    const following = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    LOCAL.set(KEY, following);
    show(following);
    setTheme(following);
  };
  return [theme, next];
}
