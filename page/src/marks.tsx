import shared from "../generated/shared.json";

export type MarkName =
  | "agrees"
  | "differs"
  | "failed"
  | "cannot"
  | "down"
  | "queued"
  | "running"
  | "finished"
  | "cancelled";

/** What marks and stripes are drawn with; it stands once in the page. */
export function Definitions() {
  return <div dangerouslySetInnerHTML={{ __html: shared.definitions }} />;
}

/** A mark; its word stands beside it. */
export function Mark({ name }: { name: MarkName }) {
  return (
    <svg class={`mark mark-${name}`} aria-hidden="true" focusable="false">
      <use href={`#mark-${name}`} />
    </svg>
  );
}
