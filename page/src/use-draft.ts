/** The circuit and the settings of the page, and the address that says them; either changes the other. */

import { useEffect, useRef, useState } from "preact/hooks";
import { get, isAbort, mayPass, sentence } from "./api";
import { type Draft, fromParameters, type Parameters, toParameters } from "./link";
import type { ComparisonRequest, NamedText } from "./messages";
import { fragment, go, type Route } from "./route";
import { DEFAULTS, furtherOf, settingsOf } from "./settings";

export interface DraftState {
  /** Undefined until the address has been read. */
  draft: Draft | undefined;
  change: (changes: Partial<Draft>) => void;
  /** The comparison that is shown, if one is. */
  comparisonId: string | undefined;
  /** Whether the text is another than that of the comparison. */
  isEdited: boolean;
  /** The names of the circuits of the comparison. */
  circuits: string[];
  /** Shows a comparison that was begun with a text; whoever has gone to another screen meanwhile stays there. */
  show: (id: string, text: string) => void;
  /** Puts another circuit in the place of the present one, and the result away. */
  replace: (name: string, text: string) => void;
  /** Why the address could not be read; empty if it could. */
  problem: string;
}

/** Takes the state from the fragment; `route` is undefined while another screen is shown. */
export function useDraft(route: Route | undefined, examples: NamedText[]): DraftState {
  const [draft, setDraft] = useState<Draft>();
  const [comparisonId, setComparisonId] = useState<string>();
  const [began, setBegan] = useState<string>();
  const [circuits, setCircuits] = useState<string[]>([]);
  const [problem, setProblem] = useState("");
  const written = useRef("");
  const isRead = useRef(true);
  const isShown = useRef(false);
  isShown.current = route !== undefined;

  useEffect(() => {
    if (!route || (draft && (location.hash || "#") === written.current)) {
      isRead.current = true;
      return;
    }
    const abort = new AbortController();
    isRead.current = false;
    const id = route.parameters.get("comparison") || undefined;
    const onWait = (why: string) => setProblem(`${why} This page asks again every few seconds.`);
    readAtLast(() => read(route.parameters, id, examples, abort.signal), onWait, abort.signal)
      .then(({ draft, began, circuits }) => {
        if (!abort.signal.aborted) {
          isRead.current = true;
          setProblem("");
          setComparisonId(id);
          setBegan(began);
          setCircuits(circuits);
          setDraft(draft);
        }
      })
      .catch((error: unknown) => {
        if (!isAbort(error) && !abort.signal.aborted) {
          isRead.current = true;
          setProblem(sentence(error));
          setComparisonId(undefined);
          setBegan(undefined);
          setCircuits([]);
          setDraft((before) => before ?? { ...START, ...firstOf(examples) });
        }
      });
    return () => abort.abort();
  }, [route]);

  useAddress(draft, comparisonId, began, examples, Boolean(route), written, isRead);

  return {
    draft,
    comparisonId,
    isEdited: began !== undefined && draft !== undefined && began !== draft.text,
    circuits,
    problem,
    change: (changes) => setDraft((before) => before && { ...before, ...changes }),
    show: (id, text) => {
      if (isShown.current) {
        written.current = fragment("compare", { comparison: id });
        go(written.current);
      }
      setBegan(text);
      setCircuits([]);
      setComparisonId(id);
      setProblem("");
    },
    replace: (name, text) => {
      setBegan(undefined);
      setComparisonId(undefined);
      setProblem("");
      setDraft((before) => before && { name, text: lines(text), settings: before.settings, chosen: before.chosen });
    },
  };
}

const START: Draft = { name: "circuit", text: "", settings: DEFAULTS, chosen: undefined };

function firstOf(examples: NamedText[]): Partial<Draft> {
  const first = examples[0];
  return first ? { name: first.name, text: first.openqasm } : {};
}

const RETRY_MS = 2_000;

/** Reads again while the door is away or has too much to do; hears why whenever it has to wait. */
async function readAtLast<T>(read: () => Promise<T>, onWait: (why: string) => void, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) {
        throw error;
      }
      onWait(sentence(error));
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** The draft that an address stands for; `began` is the text of its comparison. */
async function read(
  parameters: URLSearchParams,
  id: string | undefined,
  examples: NamedText[],
  signal: AbortSignal,
): Promise<{ draft: Draft; began: string | undefined; circuits: string[] }> {
  const found = await fromParameters(parameters, examples);
  const own = { ...found, text: lines(found.text) };
  if (id === undefined) {
    return { draft: own, began: undefined, circuits: [] };
  }
  const request = await get<ComparisonRequest>(`v1/comparisons/${encodeURIComponent(id)}/request`, signal);
  const circuit = request.circuits[0];
  const began = lines(circuit?.openqasm ?? "");
  const settings = settingsOf(request);
  const isOther = ["circuit", "example", "kept"].some((key) => parameters.has(key));
  const chosen = request.simulators ?? undefined;
  const draft = {
    ...own,
    settings,
    chosen,
    further: furtherOf(request),
    ...(isOther ? {} : { name: circuit?.name ?? own.name, text: began }),
  };
  return { draft, began, circuits: request.circuits.map(({ name }) => name) };
}

/** A text with the ends of lines that the editor gives. */
function lines(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/** Keeps the address in step with the draft, once the address that was there has been read. */
function useAddress(
  draft: Draft | undefined,
  comparisonId: string | undefined,
  began: string | undefined,
  examples: NamedText[],
  isShown: boolean,
  written: { current: string },
  isRead: { current: boolean },
): void {
  useEffect(() => {
    if (!draft || !isShown || !isRead.current || (comparisonId !== undefined && began === undefined)) {
      return;
    }
    let isLate = false;
    const before = location.hash;
    const write = async () => {
      const parameters: Parameters =
        comparisonId === undefined
          ? await toParameters(draft, examples)
          : { comparison: comparisonId, ...(began === draft.text ? {} : await toParameters(draft, examples)) };
      if (!isLate && location.hash === before) {
        written.current = fragment("compare", parameters);
        go(written.current, { replace: true });
      }
    };
    void write();
    return () => {
      isLate = true;
    };
  }, [draft, comparisonId, began, isShown]);
}
