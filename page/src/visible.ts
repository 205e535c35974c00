/** Characters that hide others, or change the direction of what follows: those of Unicode's classes for that. */
const HIDING = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text from outside, such as a name, in which everything can be seen. */
export function visible(text: string): string {
  return text.replace(HIDING, "\ufffd");
}
