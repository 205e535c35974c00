/** A sentence of the server, in which what stands between backticks is code. */
export function Said({ text }: { text: string }) {
  const pieces = text.split(/`([^`]+)`/);
  return <>{pieces.map((piece, at) => (at % 2 === 1 ? <code key={`${at}`}>{piece}</code> : piece))}</>;
}
