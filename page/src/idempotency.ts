/** Sends what must happen once: asked for again with the same key when nobody answered, so that it happens once. */

import { send, Unreachable } from "./api";

const TRIES = 4;
const PAUSE_MS = 500;

export async function sendOnce<T>(path: string, body: unknown): Promise<T> {
  const headers = { "Idempotency-Key": [...crypto.getRandomValues(new Uint32Array(4))].join("-") };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send<T>("POST", path, body, { headers });
    } catch (error) {
      if (!(error instanceof Unreachable) || attempt === TRIES) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, attempt * PAUSE_MS));
    }
  }
}
