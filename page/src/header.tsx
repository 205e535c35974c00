import { PageLink } from "./page-link";
import { fragment, type Screen } from "./route";
import { useTheme } from "./theme";

interface HeaderProps {
  screen: Screen;
  running: number;
  /** The fragment of the screen of a circuit, as it was left. */
  compare: string;
}

export function Header({ screen, running, compare }: HeaderProps) {
  const [theme, nextTheme] = useTheme();
  const current = (name: Screen) => (name === screen ? "page" : undefined);
  return (
    <header class="top">
      {screen === "compare" && (
        <PageLink class="skip" to="result" onFollow={skip}>
          Skip to the result
        </PageLink>
      )}
      <h1>Simulator Gateway</h1>
      <nav aria-label="Pages">
        <a href={compare} aria-current={current("compare")}>
          Compare
        </a>
        <a href={fragment("comparisons")} aria-current={current("comparisons")}>
          Comparisons{running > 0 && ` (${running} running)`}
        </a>
        <a href="docs">API</a>
      </nav>
      <div class="right">
        <span class="host">{location.host}</span>
        <button type="button" class="theme" onClick={nextTheme}>
          Theme: {theme}
        </button>
      </div>
    </header>
  );
}

function skip(): void {
  const result = document.getElementById("result");
  result?.focus();
  result?.scrollIntoView();
}
