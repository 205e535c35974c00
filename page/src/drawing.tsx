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
  const remark = info.remark && <p class="small soft">{info.remark}</p>;
  if (!info.drawing) {
    return remark ? <div class="drawing">{remark}</div> : null;
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
      {remark}
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

/** Which part of a drawing is seen: `columns 1 to 11 of 20, qubits 0 to 9 of 60`; empty if all of it is. */
function seen(box: HTMLElement): string {
  const svg = box.querySelector<SVGSVGElement>("svg");
  if (!svg) {
    return "";
  }
  const { paddingLeft, paddingTop } = getComputedStyle(box);
  const left = box.scrollLeft - Number.parseFloat(paddingLeft);
  const top = box.scrollTop - Number.parseFloat(paddingTop);
  const columns = numbers(svg.dataset.columns);
  const qubits = numbers(svg.dataset.qubits);
  const across = between(columns, left, left + box.clientWidth);
  const down = between(qubits, top, top + box.clientHeight);
  return [
    across && `columns ${across.first + 1} to ${across.last + 1} of ${columns.length}`,
    down && `qubits ${down.first} to ${down.last} of ${qubits.length}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function numbers(text = ""): number[] {
  return text.split(" ").filter(Boolean).map(Number);
}

/** The first and the last of some places that lie within limits; undefined if all or none do. */
function between(places: number[], from: number, to: number): { first: number; last: number } | undefined {
  const first = places.findIndex((place) => place >= from && place < to);
  const last = places.findLastIndex((place) => place >= from && place < to);
  return first < 0 || (first === 0 && last === places.length - 1) ? undefined : { first, last };
}
