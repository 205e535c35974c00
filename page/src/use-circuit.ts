/** What the door says of the text in the editor; an answer that is late never replaces a newer one. */

import { useEffect, useState } from "preact/hooks";
import { isAbort, send, sentence } from "./api";
import type { CircuitInfo, CircuitRequest } from "./messages";

export interface CircuitState {
  /** About the present text, unless it is pending; undefined until the first answer. */
  info: CircuitInfo | undefined;
  /** About the last text without errors. */
  good: CircuitInfo | undefined;
  /** Whether the present question has no answer yet. */
  pending: boolean;
  /** Whether the last answer, or that there is none, is about this very text. */
  isAboutText: boolean;
  /** Why there is no answer; empty if there is one. */
  problem: string;
}

interface State extends Omit<CircuitState, "isAboutText"> {
  /** The text that was asked about last, and is answered. */
  about: string | undefined;
}

const START: State = { info: undefined, good: undefined, pending: true, problem: "", about: undefined };

const PAUSE_MS = 200;
const RETRY_MS = 3_000;

/** Where this page is open, so that the door can drop a text that its own next one has overtaken. */
const EDITOR = crypto.getRandomValues(new Uint32Array(4)).join("-");

/**
 * Asks the door about a text whenever it, the shots, the resolution or the states of the simulators have changed and
 * then rested for a moment.
 */
export function useCircuit(
  openqasm: string | undefined,
  shots: number | null,
  resolution: number | null,
  states: string,
): CircuitState {
  const [{ about, ...state }, setState] = useState<State>(START);
  useEffect(() => {
    if (openqasm === undefined) {
      return;
    }
    setState((before) => ({ ...before, pending: true }));
    const abort = new AbortController();
    const ask = async () => {
      const body: CircuitRequest = { openqasm, shots, ...(resolution === null ? {} : { resolution }), editor: EDITOR };
      try {
        const info = await send<CircuitInfo>("POST", "v1/circuits", body, { signal: abort.signal });
        const answered = { info, about: openqasm, pending: false, problem: "" };
        setState(({ good }) => ({ ...answered, good: info.errors?.length ? good : info }));
      } catch (error) {
        if (!isAbort(error) && !abort.signal.aborted) {
          setState(({ info, good, about }) => ({
            info: about === openqasm ? info : undefined,
            good,
            about: openqasm,
            pending: false,
            problem: sentence(error),
          }));
          timer = setTimeout(ask, RETRY_MS);
        }
      }
    };
    let timer = setTimeout(ask, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [openqasm, shots, resolution, states]);
  return { ...state, isAboutText: openqasm !== undefined && about === openqasm };
}
