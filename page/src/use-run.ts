/** Asks for a comparison, and for its end. */

import { useEffect, useState } from "preact/hooks";
import { send, sentence } from "./api";
import { sendOnce } from "./idempotency";
import type { ComparisonInfo, ComparisonRequest } from "./messages";

export interface Run {
  start: (request: ComparisonRequest) => Promise<void>;
  cancel: () => Promise<void>;
  /** Whether the door has not answered for a while whether it takes the comparison. */
  isLate: boolean;
  isCancelling: boolean;
  /** Why the last wish was refused; empty if it was not. */
  refused: string;
  /** Forgets the refusal, for what was refused has changed. */
  forget: () => void;
}

const LATE_MS = 1_000;

export function useRun(
  comparison: ComparisonInfo | undefined,
  onAccepted: (accepted: ComparisonInfo, request: ComparisonRequest) => void,
): Run {
  const [waits, setWaits] = useState<"start" | "cancel">();
  const [refused, setRefused] = useState("");
  const [isLate, setLate] = useState(false);
  useEffect(() => setWaits(undefined), [comparison?.state]);
  useEffect(() => {
    setLate(false);
    const timer = waits === "start" ? setTimeout(() => setLate(true), LATE_MS) : undefined;
    return () => clearTimeout(timer);
  }, [waits]);
  const attempt = async (what: "start" | "cancel", action: () => Promise<void>) => {
    if (waits) {
      return;
    }
    setWaits(what);
    setRefused("");
    try {
      await action();
    } catch (error) {
      setRefused(sentence(error));
      setWaits(undefined);
    }
  };
  return {
    start: (request) =>
      attempt("start", async () => {
        onAccepted(await sendOnce<ComparisonInfo>("v1/comparisons", request), request);
        setWaits(undefined);
      }),
    cancel: () =>
      attempt("cancel", async () => {
        await send("DELETE", `v1/comparisons/${encodeURIComponent(comparison?.id ?? "")}`);
      }),
    isLate,
    isCancelling: waits === "cancel" || comparison?.cancelled_by !== undefined,
    refused,
    forget: () => setRefused(""),
  };
}
