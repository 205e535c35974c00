import { visible } from "./visible";

/** A sentence of the server, in which what stands between backticks is code. */
export function Said({ text }: { text: string }) {
  const pieces = visible(text).split(/`([^`]+)`/);
  return <>{pieces.map((piece, at) => (at % 2 === 1 ? <code key={`${at}`}>{piece}</code> : piece))}</>;
}
