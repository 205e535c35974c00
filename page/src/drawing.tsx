import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CircuitInfo } from "./messages";

interface DrawingProps {
  info: CircuitInfo;
  /** Whether it is that of an earlier text, because the present one has errors. */
  stale: boolean;
  /** The gates that a diagnosis names. */
  suspects: string[];
}

/** The circuit drawn; it scrolls by itself and says which part of it is seen. */
export function Drawing({ info, stale, suspects }: DrawingProps) {
  const [part, setPart] = useState("");
  const large = useRef<HTMLDialogElement>(null);
  if (!info.drawing) {
    return null;
  }
  const title = stale ? "Drawing of the last text without errors" : `Drawing${part && `, ${part}`}`;
  return (
    <div class={`drawing${stale ? " stale" : ""}`}>
      <header>
        <span class="soft">{title}</span>
        <button type="button" class="plain" onClick={() => large.current?.showModal()}>
          Enlarge
        </button>
      </header>
      <Picture svg={info.drawing} suspects={suspects} onPart={setPart} />
      <dialog class="enlarged" ref={large} aria-label="Drawing">
        <form method="dialog">
          <b>{title}</b>
          <button type="submit">Close</button>
        </form>
        <Picture svg={info.drawing} suspects={suspects} />
      </dialog>
    </div>
  );
}

interface PictureProps {
  svg: string;
  suspects: string[];
  onPart?: (part: string) => void;
}

function Picture({ svg, suspects, onPart }: PictureProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    for (const label of box.current?.querySelectorAll(".gt") ?? []) {
      const hot = suspects.includes(label.textContent ?? "");
      label.classList.toggle("hot", hot);
      label.previousElementSibling?.classList.toggle("hot", hot);
      if (label.nextElementSibling?.classList.contains("gp")) {
        label.nextElementSibling.classList.toggle("hot", hot);
      }
    }
  }, [svg, suspects]);
  useEffect(() => {
    const element = box.current;
    if (!element || !onPart) {
      return;
    }
    const measure = () => onPart(seen(element));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [svg, onPart]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is a group of controls
    <div
      class="scroll"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls by itself takes the focus, so that keys scroll it
      tabIndex={0}
      role="group"
      aria-label="Circuit, scrolls sideways"
      ref={box}
      dangerouslySetInnerHTML={{ __html: svg }}
    />
  );
}

/** Which part of a drawing is seen: `columns 1 to 11 of 20`; empty if all of it is. */
function seen(box: HTMLElement): string {
  const svg = box.querySelector<SVGSVGElement>("svg");
  const columns = svg?.dataset.columns?.split(" ").map(Number) ?? [];
  if (!svg || columns.length === 0 || box.scrollWidth <= box.clientWidth) {
    return "";
  }
  const padding = Number.parseFloat(getComputedStyle(box).paddingLeft);
  const [left, right] = [box.scrollLeft - padding, box.scrollLeft - padding + box.clientWidth];
  const inside = columns.map((_, at) => at).filter((at) => (columns[at] ?? 0) >= left && (columns[at] ?? 0) < right);
  const first = (inside[0] ?? 0) + 1;
  const last = (inside[inside.length - 1] ?? 0) + 1;
  return first === 1 && last === columns.length ? "" : `columns ${first} to ${last} of ${columns.length}`;
}
