/** Follows a stream of server-sent events, which EventSource could not: it sends no token. */

import { ApiError, isAbort, request } from "./api";

export interface Event {
  id: string;
  data: string;
}

/** A stream in which nothing came for this long, not even a comment, is taken for lost. */
const SILENCE_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export interface Follower {
  /** Takes an event, and returns whether it was the last one. */
  onEvent: (event: Event) => boolean;
  /** Hears whether the door is away, when that changes. */
  onAway: (away: boolean) => void;
}

/**
 * Hands over the events of a stream until its last one, and takes it up again where it broke off. Ends early if the
 * signal aborts; throws ApiError if the door refuses the stream.
 */
export async function follow(path: string, follower: Follower, signal: AbortSignal): Promise<void> {
  let lastId = "";
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const event of stream(path, lastId, () => follower.onAway(false), signal)) {
        pause = FIRST_PAUSE_MS;
        lastId = event.id || lastId;
        if (follower.onEvent(event)) {
          return;
        }
      }
    } catch (error) {
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) {
        throw error;
      }
    }
    if (signal.aborted) {
      return;
    }
    if (pause > FIRST_PAUSE_MS) {
      follower.onAway(true);
    }
    await sleep(pause, signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

async function* stream(path: string, lastId: string, onOpen: () => void, signal: AbortSignal): AsyncGenerator<Event> {
  const own = new AbortController();
  const abort = () => own.abort();
  signal.addEventListener("abort", abort);
  let silence = setTimeout(abort, SILENCE_MS);
  try {
    const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
    const response = await request(path, { headers, signal: own.signal });
    onOpen();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser();
    for (;;) {
      const read = await reader?.read();
      if (!read || read.done) {
        return;
      }
      clearTimeout(silence);
      silence = setTimeout(abort, SILENCE_MS);
      yield* parser.take(read.value);
    }
  } catch (error) {
    if (!isAbort(error)) {
      throw error;
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", abort);
    own.abort();
  }
}

/** Puts the pieces of an event stream together; the format is that of the HTML standard, with LF or CRLF. */
export class Parser {
  private rest = "";
  private id = "";
  private data: string[] = [];

  *take(piece: string): Generator<Event> {
    this.rest += piece;
    for (let end = this.rest.indexOf("\n"); end >= 0; end = this.rest.indexOf("\n")) {
      const line = this.rest.slice(0, end).replace(/\r$/, "");
      this.rest = this.rest.slice(end + 1);
      if (line) {
        this.field(line);
      } else if (this.data.length > 0) {
        yield { id: this.id, data: this.data.join("\n") };
        this.data = [];
      }
    }
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") {
      this.data.push(value);
    } else if (name === "id") {
      this.id = value;
    }
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
