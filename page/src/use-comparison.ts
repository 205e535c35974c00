/** Follows a comparison from its acceptance to its end, and fetches what the server shows of it. */

import { useEffect, useState } from "preact/hooks";
import { ApiError, isAbort, mayPass, sentence, text } from "./api";
import { follow } from "./events";
import { type ComparisonInfo, isFinal } from "./messages";
import { EMPTY, type Part, readPart } from "./part";

export interface ComparisonState {
  info: ComparisonInfo | undefined;
  part: Part;
  /** Whether the door does not answer just now; the comparison goes on. */
  away: boolean;
  /** Why nothing can be shown; empty if something can. */
  problem: string;
  /** Why its result is not shown, though it is there; empty if it is. */
  hidden: string;
}

const START: ComparisonState = { info: undefined, part: EMPTY, away: false, problem: "", hidden: "" };

/** Follows a comparison by its id; `accepted` is what the door said when it took one, which may be this. */
export function useComparison(id: string | undefined, accepted: ComparisonInfo | undefined): ComparisonState {
  const [{ of, ...state }, setState] = useState<ComparisonState & { of?: string }>(START);
  const start: ComparisonState = accepted?.id === id ? { ...START, info: accepted } : START;
  useEffect(() => {
    if (id === undefined) {
      return;
    }
    setState({ ...start, of: id });
    const abort = new AbortController();
    const change = (changes: Partial<ComparisonState>) => {
      if (!abort.signal.aborted) {
        setState((before) => ({ ...before, ...changes }));
      }
    };
    const results = new Results(id, abort.signal, {
      onPart: (part) => change({ part, hidden: "" }),
      onRefused: (hidden) => change({ hidden }),
    });
    const onEvent = ({ data }: { data: string }) => {
      const info = JSON.parse(data) as ComparisonInfo;
      change({ info });
      results.want(isFinal(info.state) ? "final" : String(info.progress?.results ?? 0));
      return isFinal(info.state);
    };
    const path = `v1/comparisons/${encodeURIComponent(id)}/events`;
    follow(path, { onEvent, onAway: (away) => change({ away }) }, abort.signal).catch((error: unknown) =>
      change({ problem: sentence(error) }),
    );
    return () => abort.abort();
  }, [id]);
  return of === id ? state : start;
}

interface Shower {
  onPart: (part: Part) => void;
  /** Hears in a sentence why there is no part. */
  onRefused: (why: string) => void;
}

/** Fetches the part of the page about a comparison, once for each stage of it and never two at a time. */
class Results {
  private readonly path: string;
  private readonly signal: AbortSignal;
  private readonly shower: Shower;
  private wanted = "";
  private shown = "";
  private busy = false;

  constructor(id: string, signal: AbortSignal, shower: Shower) {
    this.path = `v1/comparisons/${encodeURIComponent(id)}/result`;
    this.signal = signal;
    this.shower = shower;
  }

  want(stage: string): void {
    this.wanted = stage;
    if (!this.busy) {
      void this.fetch();
    }
  }

  private async fetch(): Promise<void> {
    this.busy = true;
    while (this.wanted !== this.shown && !this.signal.aborted) {
      const stage = this.wanted;
      try {
        this.shower.onPart(readPart(await text(this.path, this.signal)));
        this.shown = stage;
      } catch (error) {
        if (error instanceof ApiError && !mayPass(error)) {
          this.shown = stage;
          this.shower.onRefused(sentence(error));
        } else if (!isAbort(error)) {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        }
      }
    }
    this.busy = false;
  }
}
