import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { address, download, sentence } from "./api";
import { copy } from "./clipboard";
import type { ComparisonInfo } from "./messages";
import { morph } from "./morph";
import { fragment } from "./route";
import { tellWhatIsSeen } from "./seen";

export interface ResultProps {
  comparison: ComparisonInfo;
  /** What the server shows of the comparison, without its verdict and its table of simulators. */
  html: string;
  openInEditor: (openqasm: string) => void;
  runWithResolution?: (resolution: number) => void;
}

/** What is below the table of simulators: outcomes, causes, reproducers, and what can be taken along. */
export function Result(props: ResultProps) {
  return (
    <>
      <ResultPart {...props} />
      {props.comparison.has_record && <Downloads comparison={props.comparison} />}
    </>
  );
}

/** Elements that the server made, and what their buttons and links do. */
export function ResultPart({ comparison, html, openInEditor, runWithResolution }: ResultProps) {
  const box = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState("");
  useLayoutEffect(() => {
    if (box.current) {
      const newer = document.createElement("template");
      newer.innerHTML = html;
      morph(box.current, document.importNode(newer.content, true));
      return tellWhatIsSeen(box.current);
    }
    return undefined;
  }, [html]);

  const act = async (event: MouseEvent) => {
    const pressed = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-does], a") : null;
    const file = pressed?.dataset.download;
    if (pressed instanceof HTMLAnchorElement) {
      event.preventDefault();
      await (file ? downloadOf(comparison, file) : unfold(pressed.hash));
    } else if (pressed instanceof HTMLButtonElement) {
      await press(pressed);
    }
  };
  const press = async (button: HTMLButtonElement) => {
    const program = button.closest(".program");
    const openqasm = `${program?.querySelector(".code")?.textContent ?? ""}\n`;
    switch (button.dataset.does) {
      case "program":
        await copyFrom(button, openqasm);
        break;
      case "bug-report":
        await copyFrom(button, program?.querySelector("template")?.content.textContent ?? "");
        break;
      case "open":
        openInEditor(openqasm);
        break;
      case "resolution":
        runWithResolution?.(Number(button.value));
        break;
    }
  };
  const copyFrom = async (button: HTMLButtonElement, text: string) => {
    await copy(text);
    tell(button, "Copied");
    setSaid("Copied.");
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: what is pressed is a button or a link inside. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above. */}
      <div class="part" ref={box} onClick={(event) => void act(event).catch((error) => setSaid(sentence(error)))} />
      <p class="told" role="status">
        {said !== "Copied." ? said : <span class="hidden">{said}</span>}
      </p>
    </>
  );
}

const FILES = [
  { text: "Record (JSON)", file: "record", extension: "json" },
  { text: "Report (HTML)", file: "report.html", extension: "html" },
  { text: "Picture (SVG)", file: "picture.svg", extension: "svg" },
  { text: "Picture (PNG)", file: "picture.png", extension: "png" },
  { text: "Outcomes (CSV)", file: "outcomes.csv", extension: "csv" },
];

function Downloads({ comparison }: Pick<ResultProps, "comparison">) {
  const [said, setSaid] = useState("");
  const copyLink = async (button: HTMLButtonElement) => {
    await copy(address(fragment("compare", { comparison: comparison.id })));
    tell(button, "Copied");
    setSaid("");
  };
  const failed = (error: unknown) => setSaid(sentence(error));
  return (
    <div class="downloads">
      {FILES.map(({ text, file }) => (
        <button
          key={file}
          type="button"
          onClick={() => {
            setSaid("");
            void downloadOf(comparison, file).catch(failed);
          }}
        >
          {text}
        </button>
      ))}
      <button type="button" onClick={(event) => void copyLink(event.currentTarget).catch(failed)}>
        Copy link
      </button>
      <p class="told" role="status">
        {said}
      </p>
    </div>
  );
}

function downloadOf({ id, circuits = [] }: ComparisonInfo, file: string): Promise<void> {
  const [name = ""] = circuits.length === 1 ? circuits : [];
  const stem = name.replace(/\.\w+$/, "").replace(/[^\w.-]+/g, "-") || "comparison";
  const extension = FILES.find((known) => known.file === file)?.extension ?? "txt";
  return download(`v1/comparisons/${encodeURIComponent(id)}/${file}`, `${stem}.${extension}`);
}

/** Opens what is folded under an id, and goes there. */
function unfold(hash: string): void {
  const folded = document.getElementById(hash.slice(1));
  if (folded instanceof HTMLDetailsElement) {
    folded.open = true;
    folded.scrollIntoView();
    folded.querySelector("summary")?.focus({ preventScroll: true });
  }
}

const TOLD_MS = 2_000;
const told = new WeakSet<HTMLElement>();

/** Says for a moment on a button what it has done; its place stays the same. */
function tell(button: HTMLButtonElement, text: string): void {
  if (told.has(button)) {
    return;
  }
  const before = button.textContent;
  told.add(button);
  button.style.minWidth = `${button.offsetWidth}px`;
  button.textContent = text;
  setTimeout(() => {
    button.textContent = before;
    button.style.minWidth = "";
    told.delete(button);
  }, TOLD_MS);
}
