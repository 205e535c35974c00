/** What stands in the left pane and in the run bar, as the parameters of a fragment, so that an address says it all. */

import type { ComparisonRequest, NamedText } from "./messages";
import { type Ask, DEFAULTS, type Settings } from "./settings";
import { OF_TAB } from "./storage";

export interface Draft {
  /** The circuit's name: that of an example or of a file. */
  name: string;
  text: string;
  settings: Settings;
  /** The names of the simulators that are chosen; undefined for all that there are. */
  chosen: string[] | undefined;
  /** What the comparison that is shown asked for besides; asked for again with it. */
  further?: Partial<ComparisonRequest>;
}

export type Parameters = Record<string, string | undefined>;

/** The name of a circuit that is none of the examples, whatever it was begun with. */
export function ownName(name: string, examples: NamedText[]): string {
  return examples.some((example) => example.name === name) ? `${name}, edited` : name;
}

/** The most characters of a compressed circuit: browsers and chats keep addresses of that length whole. */
const LONGEST = 16_000;

/** Under this name the browser keeps a circuit that is too long, for as long as the tab is open. */
const KEPT = "circuit";

/** The most bytes that a compressed circuit may unfold to. */
const LARGEST = 4 * 2 ** 20;

/** The parameters for a draft; a circuit that is too long for an address is kept in this tab instead. */
export async function toParameters(draft: Draft, examples: NamedText[]): Promise<Parameters> {
  const example = examples.find(({ name, openqasm }) => name === draft.name && openqasm === draft.text);
  return {
    ...(example ? { example: example === examples[0] ? undefined : example.name } : await own(draft)),
    ...settingsToParameters(draft.settings),
    simulators: draft.chosen?.join(","),
  };
}

/** Whether the circuit of a draft fits into an address. */
export async function isLinkable(draft: Draft): Promise<boolean> {
  return (await packed(draft.text)) !== undefined;
}

/** The draft that parameters stand for; throws an Error with a sentence if they are damaged. */
export async function fromParameters(parameters: URLSearchParams, examples: NamedText[]): Promise<Draft> {
  const rest = {
    settings: settingsFrom(parameters),
    chosen: parameters.get("simulators")?.split(",").filter(Boolean),
  };
  const circuit = parameters.get("circuit");
  if (circuit !== null) {
    return { name: parameters.get("name") ?? "circuit", text: await expand(circuit), ...rest };
  }
  if (parameters.has("kept")) {
    const text = OF_TAB.get(KEPT);
    if (text === undefined) {
      throw new Error("The circuit of this address was too long for it, and was kept in the tab of whoever wrote it.");
    }
    return { name: parameters.get("name") ?? "circuit", text, ...rest };
  }
  const example = parameters.get("example");
  const found = example === null ? examples[0] : examples.find(({ name }) => name === example);
  if (example !== null && !found) {
    throw new Error(`There is no example ${example}; the list above has those that there are.`);
  }
  return { name: found?.name ?? "circuit", text: found?.openqasm ?? "", ...rest };
}

/** The parameters for a circuit that is no example: the circuit itself, or that it is kept in this tab. */
async function own({ name, text }: Draft): Promise<Parameters> {
  const circuit = await packed(text);
  if (circuit !== undefined) {
    return { name, circuit };
  }
  return OF_TAB.set(KEPT, text) ? { name, kept: "here" } : { name };
}

function settingsToParameters(settings: Settings): Parameters {
  const said = (key: keyof Settings) => (settings[key] === DEFAULTS[key] ? undefined : settings[key]);
  return {
    ask: said("ask"),
    shots: said("shots")?.replaceAll(",", ""),
    resolution: said("resolution"),
    seed: settings.seed === "" ? "any" : said("seed"),
    sampler: said("sampler"),
  };
}

function settingsFrom(parameters: URLSearchParams): Settings {
  const asks: Ask[] = ["shots", "resolution", "exact"];
  const shots = parameters.get("shots");
  const seed = parameters.get("seed");
  return {
    ask: asks.find((ask) => ask === parameters.get("ask")) ?? DEFAULTS.ask,
    shots: shots === null ? DEFAULTS.shots : /^\d{1,15}$/.test(shots) ? Number(shots).toLocaleString("en-US") : shots,
    resolution: parameters.get("resolution") ?? DEFAULTS.resolution,
    seed: seed === "any" ? "" : (seed ?? DEFAULTS.seed),
    sampler: parameters.get("sampler") === "native" ? "native" : "auto",
  };
}

/** A text as an address has it; undefined if it is too long for one, or would not be unfolded again. */
async function packed(text: string): Promise<string | undefined> {
  const compressed = new Blob([text]).size <= LARGEST ? await compress(text) : undefined;
  return compressed !== undefined && compressed.length <= LONGEST ? compressed : undefined;
}

async function compress(text: string): Promise<string> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  let binary = "";
  for (const byte of bytes) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function expand(compressed: string): Promise<string> {
  try {
    const binary = atob(compressed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return await readAtMost(unpacked, LARGEST);
  } catch (error) {
    throw new Error("The circuit in this address is damaged: the address was cut, or changed.", { cause: error });
  }
}

async function readAtMost(stream: ReadableStream<Uint8Array>, most: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = stream.getReader();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return text + decoder.decode();
    }
    size += value.byteLength;
    if (size > most) {
      await reader.cancel();
      throw new RangeError("too large");
    }
    text += decoder.decode(value, { stream: true });
  }
}
