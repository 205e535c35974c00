/** Requests to the door; addresses are relative to the page's own, so that a proxy may put a prefix before them. */

import type { Problem } from "./messages";
import { token } from "./token";

/** What the door answered instead of what it was asked for. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Nobody answered: the door is away, or the network is. */
export class Unreachable extends Error {}

let onUnauthorized: () => void = () => {};

/** Calls a function whenever the door wants a token, or another one. */
export function whenUnauthorized(ask: () => void): void {
  onUnauthorized = ask;
}

/** Sends a request and returns the response if its status is below 400; throws ApiError or Unreachable otherwise. */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (token()) {
    headers.set("Authorization", `Bearer ${token()}`);
  }
  let response: Response;
  try {
    response = await fetch(address(path), { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new Unreachable("The gateway does not answer.", { cause: error });
  }
  if (response.ok) {
    return response;
  }
  if (response.status === 401) {
    onUnauthorized();
  }
  throw await failure(response);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, signal ? { signal } : {})).json()) as T;
}

export async function send<T>(
  method: "POST" | "DELETE",
  path: string,
  body?: unknown,
  options: { signal?: AbortSignal; headers?: Record<string, string> } = {},
): Promise<T> {
  const headers = { ...options.headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const rest = body === undefined ? {} : { body: JSON.stringify(body) };
  return (await (await request(path, { ...options, ...rest, method, headers })).json()) as T;
}

export async function text(path: string, signal?: AbortSignal): Promise<string> {
  return (await request(path, signal ? { signal } : {})).text();
}

/** Saves what an address answers as a file; a plain link could not send the token. */
export async function download(path: string, name: string): Promise<void> {
  const url = URL.createObjectURL(await (await request(path)).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The absolute address of a path of the door. */
export function address(path: string): string {
  return new URL(path.replace(/^\//, ""), document.baseURI).href;
}

async function failure(response: Response): Promise<Error> {
  const whole = await response.text();
  try {
    const problem = JSON.parse(whole) as Problem;
    return new ApiError(response.status, problem.code ?? "", problem.detail ?? problem.title);
  } catch {
    return response.status >= 502 && response.status <= 504
      ? new Unreachable(`The gateway does not answer (status ${response.status} from a proxy).`)
      : new ApiError(response.status, "", `The gateway answered with status ${response.status}.`);
  }
}

/** Whether the same request may be answered in a moment: nobody was there, or had too much to do. */
export function mayPass(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof ApiError && [429, 503].includes(error.status));
}

/** A sentence about anything that a request may throw. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
