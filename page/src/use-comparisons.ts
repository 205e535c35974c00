/** The comparisons that the door keeps, asked for again and again while the page is seen. */

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, isAbort, sentence } from "./api";
import { type ComparisonInfo, type ComparisonList, isFinal } from "./messages";

/** What is asked for of those that have ended. */
export interface Query {
  show: Show;
  search: string;
  /** The id of the last comparison of the page before; empty for the first page. */
  before: string;
}

export type Show = "all" | "differ" | "failed" | "mine";

export interface Comparisons {
  /** Those that run or are queued; undefined until the door has answered. */
  running: ComparisonInfo[] | undefined;
  /** A page of those that have ended, and how many match. */
  past: ComparisonInfo[] | undefined;
  next: string | undefined;
  total: number;
  /** The one that has ended last since the page was opened. */
  ended: ComparisonInfo | undefined;
  away: boolean;
  problem: string;
  /** Asks at once. */
  refresh: () => void;
}

export const PAGE = 20;
const MOST_RUNNING = 200;
const SOON_MS = 1_500;
const LATER_MS = 5_000;

type Known = Omit<Comparisons, "refresh">;

const NOTHING: Known = {
  running: undefined,
  past: undefined,
  next: undefined,
  total: 0,
  ended: undefined,
  away: false,
  problem: "",
};

export function useComparisons({ show, search, before }: Query): Comparisons {
  const [known, setKnown] = useState(NOTHING);
  const [round, setRound] = useState(0);
  const seen = useRef(new Set<string>());
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    let isAsking = false;
    const ask = async () => {
      let wait = LATER_MS;
      if (!document.hidden) {
        isAsking = true;
        const changes = await answer({ show, search, before }, seen.current, abort.signal);
        if (abort.signal.aborted) {
          return;
        }
        isAsking = false;
        setKnown((last) => ({ ...last, ...changes }));
        wait = changes.running?.length ? SOON_MS : LATER_MS;
      }
      timer = setTimeout(ask, wait);
    };
    const ifSeen = () => {
      if (!document.hidden && !isAsking) {
        clearTimeout(timer);
        void ask();
      }
    };
    void ask();
    document.addEventListener("visibilitychange", ifSeen);
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", ifSeen);
    };
  }, [show, search, before, round]);
  return { ...known, refresh: () => setRound((last) => last + 1) };
}

/** Asks for both lists; `seen` has the ids of those that ran the last time. */
async function answer(query: Query, seen: Set<string>, signal: AbortSignal): Promise<Partial<Known>> {
  const wanted = new URLSearchParams({ show: query.show === "all" ? "ended" : query.show, limit: `${PAGE}` });
  for (const [name, value] of Object.entries({ search: query.search, before: query.before })) {
    if (value) {
      wanted.set(name, value);
    }
  }
  try {
    const [now, then] = await Promise.all([
      get<ComparisonList>(`v1/comparisons?show=running&limit=${MOST_RUNNING}`, signal),
      get<ComparisonList>(`v1/comparisons?${wanted}`, signal),
    ]);
    const running = now.comparisons ?? [];
    const past = (then.comparisons ?? []).filter(({ state }) => isFinal(state));
    const ended = past.filter(({ id }) => seen.delete(id)).at(0);
    for (const { id } of running) {
      seen.add(id);
    }
    const news = ended ? { ended } : {};
    return { running, past, next: then.next, total: then.total ?? 0, ...news, away: false, problem: "" };
  } catch (error) {
    if (isAbort(error)) {
      return {};
    }
    return error instanceof ApiError ? { problem: sentence(error) } : { away: true };
  }
}
