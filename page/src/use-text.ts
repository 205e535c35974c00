/** Keeps the text of a draft and that of the editor in step, without ever taking back what was just typed. */

import { useEffect, useRef } from "preact/hooks";
import type { Editor } from "./editor";

const REST_MS = 200;

export interface EditorText {
  /** Takes the editor, once it is there. */
  onEditor: (editor: Editor) => void;
  /** Hears that the text has changed, and hands it on when typing has rested for a moment. */
  onEdit: () => void;
  /** The text as it is now. */
  now: () => string;
  /** Hands the text on at once, and returns it. */
  settle: () => string;
  editor: { current: Editor | undefined };
}

export function useText(text: string | undefined, onText: (text: string) => void): EditorText {
  const editor = useRef<Editor | undefined>(undefined);
  const handedOn = useRef<string | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const take = useRef(onText);
  take.current = onText;
  const isThere = useRef(false);
  isThere.current = text !== undefined;
  const now = () => editor.current?.text ?? text ?? "";
  const settle = () => {
    clearTimeout(timer.current);
    handedOn.current = now();
    take.current(handedOn.current);
    return handedOn.current;
  };
  useEffect(() => {
    if (text === undefined) {
      return;
    }
    if (handedOn.current === undefined && now() !== text && editor.current?.text) {
      settle(); // somebody was faster than the first answer of the door
    } else if (text !== handedOn.current) {
      clearTimeout(timer.current);
      handedOn.current = text;
      editor.current?.setText(text);
    }
  }, [text]);
  return {
    editor,
    now,
    settle,
    onEditor: (made) => {
      editor.current = made;
      made.setText(text ?? "");
    },
    onEdit: () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => isThere.current && settle(), REST_MS);
    },
  };
}
