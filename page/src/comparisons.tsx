import { useEffect, useState } from "preact/hooks";
import { ComparisonTable } from "./comparison-table";
import { Mark } from "./marks";
import type { ComparisonInfo, DoorInfo } from "./messages";
import { integer } from "./numbers";
import { fragment, go, type Route } from "./route";
import { type Comparisons as Listed, PAGE, type Query, type Show, useComparisons } from "./use-comparisons";
import { visible } from "./visible";

interface ComparisonsProps {
  door: DoorInfo;
  route: Route;
}

const SHOWS: [Show, string][] = [
  ["all", "All"],
  ["differ", "Differ"],
  ["failed", "Failed"],
  ["mine", "Mine"],
];

/** All comparisons: those that run first, then a page of those that have ended. */
export function Comparisons({ door, route }: ComparisonsProps) {
  const query = read(route);
  const listed = useComparisons(query);
  const { running = [], past } = listed;
  const me = door.needs_token ? (door.name ?? "") : undefined;
  useEffect(() => {
    document.title = "Comparisons - Simulator Gateway";
  }, []);
  return (
    <main class="comparisons" id="result" tabIndex={-1}>
      {(listed.away || listed.problem) && (
        <p class="notice" role="status">
          <Mark name={listed.away ? "down" : "failed"} />{" "}
          {listed.problem || "The gateway does not answer just now; this page asks again every few seconds."}
        </p>
      )}
      {running.length > 0 && (
        <section>
          <header>
            <h2>Running</h2>
            <span class="soft small">{counted(running)}</span>
          </header>
          <ComparisonTable title="Running comparisons" comparisons={running} me={me} onCancelled={listed.refresh} />
        </section>
      )}
      <section>
        <header>
          <h2>Past comparisons</h2>
          {past && <span class="soft small">{kept(query, listed.total)}</span>}
        </header>
        <Filters query={query} canBeMine={me !== undefined} />
        {past && past.length > 0 && <ComparisonTable title="Past comparisons" comparisons={past} me={me} />}
        {past && past.length === 0 && <p>{empty(query)}</p>}
        <Pages query={query} listed={listed} trail={trail(route)} />
      </section>
      <p class="hidden" role="status">
        {listed.ended && told(listed.ended)}
      </p>
    </main>
  );
}

function read(route: Route): Query {
  const { parameters } = route;
  const show = SHOWS.find(([value]) => value === parameters.get("show"))?.[0] ?? "all";
  return { show, search: parameters.get("search") ?? "", before: trail(route).at(-1) ?? "" };
}

function trail({ parameters }: Route): string[] {
  return (parameters.get("before") ?? "").split(",").filter(Boolean);
}

/** The address of a page of what is asked for; what is usual is left out. */
function link({ show, search }: Query, trail: string[] = []): string {
  return fragment("comparisons", { show: show === "all" ? undefined : show, search, before: trail.join(",") });
}

function counted(running: ComparisonInfo[]): string {
  const queued = running.filter(({ state }) => state === "queued").length;
  const parts = [`${integer(running.length - queued)} running`, ...(queued ? [`${integer(queued)} queued`] : [])];
  return parts.join(", ");
}

function kept({ show, search }: Query, total: number): string {
  return `${integer(total)} ${show === "all" && !search ? "kept" : "found"}`;
}

function empty({ show, search, before }: Query): string {
  if (before) {
    return "There are no older ones.";
  }
  return show === "all" && !search
    ? "There is none yet: a comparison that has ended is kept here."
    : "None of those that are kept matches.";
}

function told({ circuits = [], verdict, state }: ComparisonInfo): string {
  return visible(`${circuits[0] ?? "A comparison"}: ${verdict || state}`);
}

const REST_MS = 250;

function Filters({ query, canBeMine }: { query: Query; canBeMine: boolean }) {
  const [text, setText] = useState(query.search);
  useEffect(() => setText(query.search), [query.search]);
  useEffect(() => {
    if (text === query.search) {
      return;
    }
    const timer = setTimeout(() => go(link({ ...query, search: text }), { replace: true }), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <div class="field">
        <label for="search">Circuit{canBeMine ? ", simulator or person" : " or simulator"}</label>
        <input id="search" type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </div>
      <fieldset class="field">
        <legend class="label">Show</legend>
        <div class="choice">
          {SHOWS.filter(([value]) => value !== "mine" || canBeMine).map(([value, name]) => (
            <label key={value}>
              <input
                type="radio"
                name="show"
                value={value}
                checked={query.show === value}
                onChange={() => go(link({ ...query, show: value }))}
              />
              {name}
            </label>
          ))}
        </div>
      </fieldset>
    </form>
  );
}

interface PagesProps {
  query: Query;
  listed: Listed;
  /** The ids with which the pages up to this one begin, each the last of the page before. */
  trail: string[];
}

function Pages({ query, listed, trail }: PagesProps) {
  const { past = [], next, total } = listed;
  if (trail.length === 0 && !next) {
    return null;
  }
  const first = trail.length * PAGE + 1;
  const turn = (to: string[]) => {
    go(link(query, to));
    scrollTo(0, 0);
  };
  return (
    <p class="pages">
      <button type="button" disabled={trail.length === 0} onClick={() => turn(trail.slice(0, -1))}>
        Newer
      </button>
      <button type="button" disabled={!next} onClick={() => turn([...trail, ...(next ? [next] : [])])}>
        Older
      </button>
      {past.length > 0 && (
        <span class="soft small">
          {integer(first)} to {integer(first + past.length - 1)} of {integer(total)}
        </span>
      )}
    </p>
  );
}
