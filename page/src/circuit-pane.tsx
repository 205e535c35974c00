import { useEffect, useRef, useState } from "preact/hooks";
import { Drawing } from "./drawing";
import { Editor } from "./editor";
import { Mark } from "./marks";
import { useMedia } from "./media";
import type { CircuitInfo, Diagnostic, NamedText } from "./messages";
import { several } from "./numbers";
import { PageLink } from "./page-link";
import { Said } from "./said";
import type { CircuitState } from "./use-circuit";

interface CircuitPaneProps {
  name: string;
  examples: NamedText[];
  circuit: CircuitState;
  suspects: string[];
  /** Whether there is a result, which on a narrow page comes first. */
  hasResult: boolean;
  onEditor: (editor: Editor) => void;
  onEdit: () => void;
  /** A text takes the place of the present one: an example, or a file. */
  onReplace: (circuit: NamedText) => void;
  /** Makes the address of this circuit; throws an Error with a sentence if there is none. */
  link: () => Promise<string>;
  goTo: (error: Diagnostic) => void;
}

export function CircuitPane(props: CircuitPaneProps) {
  const { circuit, hasResult } = props;
  const isWide = useMedia("(min-width: 1200px)");
  const [isOpen, setOpen] = useState(true);
  const editor = useRef<Editor | undefined>(undefined);
  useEffect(() => setOpen(!hasResult), [hasResult]);
  const errors = circuit.info?.errors ?? [];
  const shown = circuit.good;
  const open = isWide || isOpen;
  return (
    <details
      class="source"
      open={open}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
        editor.current?.remeasure();
      }}
    >
      <summary>
        <b>{props.name}</b>
        {shown && <span class="soft">{facts(shown)}</span>}
      </summary>
      <div class="pane">
        <Tools {...props} />
        <EditorBox
          onEdit={props.onEdit}
          onEditor={(made) => {
            editor.current = made;
            props.onEditor(made);
          }}
          onFile={props.onReplace}
        />
        {errors.length > 0 ? <Errors errors={errors} goTo={props.goTo} /> : <Facts circuit={circuit} />}
        {shown && <Drawing info={shown} stale={errors.length > 0} suspects={props.suspects} />}
      </div>
    </details>
  );
}

/** What stands above the editor: where a circuit may come from, and where it may go. */
function Tools({ name, examples, onReplace, link }: CircuitPaneProps) {
  const [said, setSaid] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const isExample = examples.some((example) => example.name === name);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(await link());
      setSaid("Link copied: the circuit and the settings are in it.");
    } catch (error) {
      setSaid(
        error instanceof Error && error.name === "Error" ? error.message : "The link is the address of this page.",
      );
    }
  };
  const open = async (files: FileList | null) => {
    try {
      const chosen = files?.[0];
      if (chosen) {
        onReplace(await read(chosen));
      }
      setSaid("");
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  return (
    <>
      <div class="bar-row">
        <label class="hidden" for="example">
          Example
        </label>
        <select
          id="example"
          value={name}
          onChange={(event) => {
            const chosen = examples.find((example) => example.name === event.currentTarget.value);
            if (chosen) {
              onReplace(chosen);
            }
          }}
        >
          {!isExample && <option value={name}>{name}</option>}
          {examples.map((example) => (
            <option key={example.name} value={example.name}>
              {example.name}
            </option>
          ))}
        </select>
        <input
          ref={file}
          type="file"
          hidden
          accept=".qasm,.qasm2,.qasm3,.inc,text/plain"
          onChange={(event) => {
            void open(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <button type="button" onClick={() => file.current?.click()}>
          Open file
        </button>
        <button type="button" onClick={() => void copy()}>
          Copy link
        </button>
      </div>
      <p class="said" role="status">
        {said}
      </p>
    </>
  );
}

interface EditorBoxProps {
  onEditor: (editor: Editor) => void;
  onEdit: () => void;
  onFile: (circuit: NamedText) => void;
}

/** The place of the editor, on which a file may be dropped. */
function EditorBox({ onEditor, onEdit, onFile }: EditorBoxProps) {
  const box = useRef<HTMLDivElement>(null);
  const edited = useRef(onEdit);
  edited.current = onEdit;
  useEffect(() => {
    if (!box.current) {
      return;
    }
    const editor = new Editor(box.current, () => edited.current());
    onEditor(editor);
    return () => editor.destroy();
  }, []);
  const drop = async (event: DragEvent) => {
    const dropped = event.dataTransfer?.files[0];
    if (dropped) {
      event.preventDefault();
      event.stopPropagation();
      onFile(await read(dropped));
    }
  };
  return <div class="editor" id="editor" ref={box} onDropCapture={(event) => void drop(event)} />;
}

function Facts({ circuit }: { circuit: CircuitState }) {
  const { info, problem } = circuit;
  return (
    <p class="facts" role="status">
      {problem ? (
        <span>
          <Mark name="failed" /> The circuit could not be checked: {problem}
        </span>
      ) : (
        info && <span>{facts(info)}</span>
      )}
    </p>
  );
}

function facts(info: CircuitInfo): string {
  return [
    several(info.num_qubits ?? 0, "qubit"),
    several(info.num_clbits ?? 0, "clbit"),
    several(info.operations ?? 0, "operation"),
    `depth ${info.depth ?? 0}`,
  ].join(", ");
}

function Errors({ errors, goTo }: { errors: Diagnostic[]; goTo: (error: Diagnostic) => void }) {
  return (
    <ul class="errors" role="status">
      {errors.map((error) => (
        <li key={`${error.line}:${error.column}:${error.message}`}>
          <Mark name="failed" />
          <p>
            {error.line ? (
              <>
                <PageLink to="editor" onFollow={() => goTo(error)}>
                  {place(error)}
                </PageLink>
                : <Said text={error.message} />
              </>
            ) : (
              <Said text={error.message} />
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

function place({ line, column }: Diagnostic): string {
  return column ? `line ${line}, column ${column}` : `line ${line}`;
}

const LARGEST_FILE = 4 * 2 ** 20;

async function read(file: File): Promise<NamedText> {
  if (file.size > LARGEST_FILE) {
    throw new Error(`${file.name} has more than 4 MiB, too much for the editor; gateway compare takes it.`);
  }
  try {
    return { name: file.name, openqasm: new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()) };
  } catch (error) {
    throw new Error(`${file.name} is no text in UTF-8.`, { cause: error });
  }
}
