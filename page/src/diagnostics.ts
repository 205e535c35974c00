/** Shows errors in the editor: `!` before the line's number, the line tinted, the columns concerned underlined. */

import { type EditorState, RangeSet, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, GutterMarker, lineNumberMarkers } from "@codemirror/view";
import type { Diagnostic } from "./messages";

/** Sets the errors that are shown. */
export const setDiagnostics = StateEffect.define<Diagnostic[]>();

class ErrorNumber extends GutterMarker {
  override elementClass = "wrong";
  private readonly line: number;

  constructor(line: number) {
    super();
    this.line = line;
  }

  override eq(other: ErrorNumber): boolean {
    return other.line === this.line;
  }

  override toDOM(): Node {
    return document.createTextNode(`! ${this.line}`);
  }
}

interface Shown {
  text: DecorationSet;
  numbers: RangeSet<GutterMarker>;
}

const NOTHING: Shown = { text: Decoration.none, numbers: RangeSet.empty };

const shown = StateField.define<Shown>({
  create: () => NOTHING,
  update(before, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setDiagnostics)) {
        return show(transaction.state, effect.value);
      }
    }
    if (!transaction.docChanged) {
      return before;
    }
    return { text: before.text.map(transaction.changes), numbers: before.numbers.map(transaction.changes) };
  },
  provide: (field) => [
    EditorView.decorations.from(field, ({ text }) => text),
    lineNumberMarkers.from(field, ({ numbers }) => numbers),
  ],
});

export const diagnostics = shown;

/** The first and the last position of what is wrong, within the text whatever the numbers say. */
export function range(doc: Text, { line = 1, column = 1, end_column = 0 }: Diagnostic): { from: number; to: number } {
  const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const from = Math.min(found.from + Math.max(column - 1, 0), found.to);
  const to = Math.min(Math.max(found.from + end_column - 1, from + 1), found.to);
  return { from, to };
}

function show(state: EditorState, errors: Diagnostic[]): Shown {
  const { doc } = state;
  const lines = new Map<number, number>();
  const underlined = [];
  for (const error of errors) {
    if (!error.line) {
      continue;
    }
    const { from, to } = range(doc, error);
    const line = doc.lineAt(from);
    lines.set(line.from, line.number);
    if (to > from) {
      underlined.push(Decoration.mark({ class: "wrong-columns" }).range(from, to));
    }
  }
  const tint = Decoration.line({ class: "wrong" });
  const tinted = [...lines.keys()].map((from) => tint.range(from));
  const numbers = [...lines].map(([from, line]) => new ErrorNumber(line).range(from));
  return { text: Decoration.set([...tinted, ...underlined], true), numbers: RangeSet.of(numbers, true) };
}
