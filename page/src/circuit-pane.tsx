import { useEffect, useRef, useState } from "preact/hooks";
import { copy } from "./clipboard";
import { Drawing } from "./drawing";
import { Editor } from "./editor";
import { read, useDroppedFile } from "./files";
import { ownName } from "./link";
import { Mark } from "./marks";
import { useMedia } from "./media";
import type { CircuitInfo, Diagnostic, NamedText } from "./messages";
import { several } from "./numbers";
import { PageLink } from "./page-link";
import { Said } from "./said";
import type { CircuitState } from "./use-circuit";
import { visible } from "./visible";

interface CircuitPaneProps {
  name: string;
  /** Whether the text is that of an example, to the letter. */
  isExample: boolean;
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
  const [said, setSaid] = useState("");
  const editor = useRef<Editor | undefined>(undefined);
  useEffect(() => setOpen(!hasResult), [hasResult]);
  const open = async (file: File) => {
    try {
      props.onReplace(await read(file));
      setSaid("");
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  useDroppedFile((file) => void open(file));
  const errors = circuit.info?.errors ?? [];
  const shown = circuit.good;
  return (
    <details
      class="source"
      open={isWide || isOpen}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
        editor.current?.remeasure();
      }}
    >
      <summary>
        <b>{visible(props.name)}</b>
        {shown && <span class="soft">{facts(shown)}</span>}
      </summary>
      <div class="pane">
        <Tools {...props} onFile={(file) => void open(file)} onSaid={setSaid} />
        <p class="said" role="status">
          {said}
        </p>
        <EditorBox
          onEdit={() => {
            setSaid("");
            props.onEdit();
          }}
          onEditor={(made) => {
            editor.current = made;
            props.onEditor(made);
          }}
        />
        {errors.length > 0 ? <Errors errors={errors} goTo={props.goTo} /> : <Facts circuit={circuit} />}
        {shown && <Drawing info={shown} stale={errors.length > 0} suspects={props.suspects} />}
      </div>
    </details>
  );
}

interface ToolsProps extends CircuitPaneProps {
  onFile: (file: File) => void;
  onSaid: (sentence: string) => void;
}

/** What stands above the editor: where a circuit may come from, and where it may go. */
function Tools({ name, isExample, examples, onReplace, link, onFile, onSaid }: ToolsProps) {
  const file = useRef<HTMLInputElement>(null);
  const own = visible(ownName(name, examples));
  const copyLink = async () => {
    let address: string;
    try {
      address = await link();
    } catch (error) {
      onSaid((error as Error).message);
      return;
    }
    try {
      await copy(address);
      onSaid("Link copied: the circuit and the settings are in it.");
    } catch {
      onSaid("The browser lets this page copy nothing; the link is the address of the page.");
    }
  };
  return (
    <div class="bar-row">
      <label class="hidden" for="example">
        Example
      </label>
      <select
        id="example"
        value={isExample ? name : ""}
        onChange={(event) => {
          const chosen = examples.find((example) => example.name === event.currentTarget.value);
          if (chosen) {
            onReplace(chosen);
          }
        }}
      >
        {!isExample && <option value="">{own}</option>}
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
          const chosen = event.currentTarget.files?.[0];
          if (chosen) {
            onFile(chosen);
          }
          event.currentTarget.value = "";
        }}
      />
      <button type="button" onClick={() => file.current?.click()}>
        Open file
      </button>
      <button type="button" onClick={() => void copyLink()}>
        Copy link
      </button>
    </div>
  );
}

interface EditorBoxProps {
  onEditor: (editor: Editor) => void;
  onEdit: () => void;
}

function EditorBox({ onEditor, onEdit }: EditorBoxProps) {
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
  return <div class="editor" id="editor" ref={box} />;
}

function Facts({ circuit }: { circuit: CircuitState }) {
  const { info, pending, problem } = circuit;
  return (
    <p class={`facts${pending ? " pending" : ""}`} role="status">
      {problem ? (
        <>
          <Mark name="failed" /> The circuit could not be checked: {problem}
        </>
      ) : (
        info && facts(info)
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
    <div class="errors" role="status">
      <ul>
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
    </div>
  );
}

function place({ line, column }: Diagnostic): string {
  return column ? `line ${line}, column ${column}` : `line ${line}`;
}
