/** OpenQASM, as far as the editor tells its words apart: keywords and comments. */

import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import shared from "../generated/shared.json";

const KEYWORDS = new Set(shared.keywords);

interface State {
  inComment: boolean;
}

const language = StreamLanguage.define<State>({
  name: "openqasm",
  startState: () => ({ inComment: false }),
  token(stream, state) {
    if (state.inComment || stream.match("/*")) {
      state.inComment = !stream.match(/^.*?\*\//);
      if (state.inComment) {
        stream.skipToEnd();
      }
      return "comment";
    }
    if (stream.match("//")) {
      stream.skipToEnd();
      return "comment";
    }
    const word = stream.match(/^[\p{L}_][\p{L}\p{N}_]*/u);
    if (word) {
      return KEYWORDS.has(stream.current()) ? "keyword" : null;
    }
    if (!stream.match(/^"[^"]*"?/)) {
      stream.next();
    }
    return null;
  },
  languageData: { commentTokens: { line: "//", block: { open: "/*", close: "*/" } } },
});

/** The classes are those of `.code` in the sheet that pages share. */
const style = HighlightStyle.define([
  { tag: tags.keyword, class: "keyword" },
  { tag: tags.comment, class: "comment" },
]);

export const openqasm = [language, syntaxHighlighting(style)];
