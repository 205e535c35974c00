import type { ComparisonInfo } from "./messages";

export interface ResultProps {
  comparison: ComparisonInfo;
  /** What the server shows of the comparison, without its verdict and its table of simulators. */
  html: string;
  openInEditor: (openqasm: string) => void;
}

export function Result({ html }: ResultProps) {
  return <div class="result-part" dangerouslySetInnerHTML={{ __html: html }} />;
}
