/** The door's messages, as gateway.protocol.door has them; a field that is absent has its default. */

export interface NamedText {
  name: string;
  openqasm: string;
}

export interface DoorInfo {
  version: string;
  name?: string;
  rights?: string[];
  needs_token?: boolean;
  examples?: NamedText[];
}

export interface Load {
  running?: number;
  waiting?: number;
  workers?: number;
}

export interface BackendInfo {
  name: string;
  version: string;
  packages?: Record<string, string>;
}

export interface SimulatorInfo {
  name: string;
  /** The Python distribution whose version the backend states. */
  distribution?: string;
  state: "ready" | "starting" | "down";
  reason?: string;
  since?: string;
  load?: Load;
  backend?: BackendInfo;
}

export interface SimulatorList {
  simulators: SimulatorInfo[];
}

export interface Diagnostic {
  message: string;
  line?: number;
  column?: number;
  end_column?: number;
}

export interface Estimate {
  simulator: string;
  runs?: boolean;
  reason?: string;
  exact?: boolean;
  seconds?: number;
  memory_bytes?: number;
}

export interface CircuitRequest {
  openqasm: string;
  shots: number | null;
  resolution?: number;
  editor?: string;
}

export interface CircuitInfo {
  errors?: Diagnostic[];
  num_qubits?: number;
  num_clbits?: number;
  operations?: number;
  depth?: number;
  parameters?: string[];
  drawing?: string;
  /** What of the circuit is not drawn. */
  remark?: string;
  columns?: number;
  estimates?: Estimate[];
  detectable?: number;
  note?: string;
}

/** `auto` is the sampler that all simulators share, wherever a simulator hands its distribution over. */
export type Sampler = "auto" | "native";

export interface ComparisonRequest {
  circuits: NamedText[];
  simulators?: string[] | null;
  shots?: number | null;
  resolution?: number | null;
  seed?: number | null;
  sampling?: Sampler;
  exact?: boolean;
  repeat?: number;
  false_alarm_rate?: number;
  side_by_side?: boolean;
  noise?: unknown;
  timeout_s?: number | null;
  time_limit_s?: number | null;
  reproduce?: boolean;
}

export interface SimulatorProgress {
  simulator: string;
  stage?: "queued" | "starting" | "running" | "exact" | "finished" | "failed";
  share?: number;
  seconds?: number;
}

export interface ComparisonProgress {
  lines?: SimulatorProgress[];
  stage?: string;
  finished?: number;
  sentence?: string;
  seconds?: number;
  left_s?: number;
  results?: number;
}

export interface Problem {
  title: string;
  status: number;
  code?: string;
  detail?: string;
}

export type ComparisonState = "queued" | "running" | "finished" | "failed" | "cancelled";

export interface ComparisonInfo {
  id: string;
  state: ComparisonState;
  by?: string;
  circuits?: string[];
  summary?: string;
  simulators?: string[];
  shots?: number;
  resolution?: number;
  created: string;
  started?: string;
  ended?: string;
  before?: number;
  progress?: ComparisonProgress;
  verdict?: string;
  told?: [string, string];
  standing?: "agrees" | "differs" | "failed" | "undecided" | "";
  has_record?: boolean;
  cancelled_by?: string;
  error?: Problem;
}

export interface ComparisonList {
  comparisons?: ComparisonInfo[];
  next?: string;
  total?: number;
  running?: number;
}

export function isFinal(state: ComparisonState): boolean {
  return state === "finished" || state === "failed" || state === "cancelled";
}
