/** Circuits from files: chosen, or dropped anywhere on the page. */

import { useEffect, useRef } from "preact/hooks";
import type { NamedText } from "./messages";

const LARGEST = 4 * 2 ** 20;

/** Reads a file as text; throws an Error with a sentence if it is none, or too large. */
export async function read(file: File): Promise<NamedText> {
  if (file.size > LARGEST) {
    throw new Error(`${file.name} has more than 4 MiB, too much for the editor. gateway compare takes it.`);
  }
  try {
    return { name: file.name, openqasm: new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()) };
  } catch (error) {
    throw new Error(`${file.name} is no text in UTF-8.`, { cause: error });
  }
}

/** Hands over a file that is dropped on the page, which the browser would otherwise show instead of the page. */
export function useDroppedFile(onFile: (file: File) => void): void {
  const take = useRef(onFile);
  take.current = onFile;
  useEffect(() => {
    const onDrag = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files")) {
        event.preventDefault();
      }
    };
    const onDrop = (event: DragEvent) => {
      const file = event.dataTransfer?.files[0];
      if (file) {
        event.preventDefault();
        event.stopPropagation();
        take.current(file);
      }
    };
    addEventListener("dragover", onDrag, true);
    addEventListener("drop", onDrop, true);
    return () => {
      removeEventListener("dragover", onDrag, true);
      removeEventListener("drop", onDrop, true);
    };
  }, []);
}
