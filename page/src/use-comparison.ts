/** Follows a comparison from its acceptance to its end, and fetches what the server shows of it. */

import { useEffect, useState } from "preact/hooks";
import { ApiError, isAbort, sentence, text } from "./api";
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
}

const START: ComparisonState = { info: undefined, part: EMPTY, away: false, problem: "" };

export function useComparison(id: string | undefined): ComparisonState {
  const [state, setState] = useState<ComparisonState>(START);
  useEffect(() => {
    setState(START);
    if (id === undefined) {
      return;
    }
    const abort = new AbortController();
    const change = (changes: Partial<ComparisonState>) => {
      if (!abort.signal.aborted) {
        setState((before) => ({ ...before, ...changes }));
      }
    };
    const results = new Results(id, abort.signal, (part) => change({ part }));
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
  return state;
}

/** Fetches the part of the page about a comparison, once for each stage of it and never two at a time. */
class Results {
  private readonly path: string;
  private readonly signal: AbortSignal;
  private readonly onPart: (part: Part) => void;
  private wanted = "";
  private shown = "";
  private busy = false;

  constructor(id: string, signal: AbortSignal, onPart: (part: Part) => void) {
    this.path = `v1/comparisons/${encodeURIComponent(id)}/result`;
    this.signal = signal;
    this.onPart = onPart;
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
        this.onPart(readPart(await text(this.path, this.signal)));
        this.shown = stage;
      } catch (error) {
        if (error instanceof ApiError) {
          this.shown = stage;
        } else if (!isAbort(error)) {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        }
      }
    }
    this.busy = false;
  }
}
