/** The editor: CodeMirror with no more than a text of OpenQASM needs. Tab leaves it. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { diagnostics, range, setDiagnostics } from "./diagnostics";
import { openqasm } from "./language";
import type { Diagnostic } from "./messages";

/**
 * Puts what was typed in the place of a selection. The browser would do it with the style of what it replaces, in an
 * attribute that the page's policy forbids.
 */
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) {
    return false;
  }
  event.preventDefault();
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}

export class Editor {
  private readonly view: EditorView;

  /** Makes an editor in an element; a function hears of every change, without its text, which may be long. */
  constructor(parent: HTMLElement, onChange: () => void) {
    const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
    const extensions = [
      EditorView.cspNonce.of(nonce),
      lineNumbers(),
      history(),
      highlightSpecialChars(),
      keymap.of([...defaultKeymap, ...historyKeymap]),
      openqasm,
      diagnostics,
      EditorView.domEventHandlers({ beforeinput: replaceSelection }),
      EditorView.contentAttributes.of({
        class: "code",
        "aria-label": "OpenQASM",
        autocapitalize: "off",
        autocorrect: "off",
        spellcheck: "false",
        tabindex: "0",
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          onChange();
        }
      }),
    ];
    this.view = new EditorView({ state: EditorState.create({ extensions }), parent });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Replaces the text, unless it is the same; that can be undone like any edit. */
  setText(text: string): void {
    const { doc } = this.view.state;
    if (doc.toString() !== text) {
      this.view.dispatch({
        changes: { from: 0, to: doc.length, insert: text },
        selection: { anchor: 0 },
        scrollIntoView: true,
      });
    }
  }

  /** Shows where errors are. */
  show(errors: Diagnostic[]): void {
    this.view.dispatch({ effects: setDiagnostics.of(errors) });
  }

  /** Puts the cursor where an error is, and the focus into the text. */
  goTo(error: Diagnostic): void {
    const { from } = range(this.view.state.doc, error);
    const effects = EditorView.scrollIntoView(from, { y: "center" });
    this.view.dispatch({ selection: { anchor: from }, effects });
    this.view.focus();
  }

  /** Measures anew, after the element was hidden. */
  remeasure(): void {
    this.view.requestMeasure();
  }

  destroy(): void {
    this.view.destroy();
  }
}
