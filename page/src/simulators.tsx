// biome-ignore-all lint/a11y/noRedundantRoles: on a phone CSS lays the table out as blocks, which takes its roles away.
import type { ComponentChildren } from "preact";
import { Mark } from "./marks";
import { duration, mebibytes } from "./numbers";
import type { Cell } from "./part";
import type { SimulatorRow } from "./rows";
import { Said } from "./said";
import { visible } from "./visible";

interface SimulatorsProps {
  rows: SimulatorRow[];
  /** The heads of what they did; before a run there are none. */
  heads: Cell[];
  /** Chooses simulators, or leaves them out. */
  onChoose: (names: string[], chosen: boolean) => void;
}

const COSTS: Cell[] = [
  { html: "state", class: "state" },
  { html: "exact results", class: "number" },
  { html: "would take", class: "number" },
  { html: "memory", class: "number" },
];

/** One table from before a run to after it: same rows, same order; its right half turns from cost into result. */
export function Simulators({ rows, heads, onChoose }: SimulatorsProps) {
  const isAfter = heads.length > 0;
  const columns = isAfter ? heads.filter((head) => !head.class.includes("narrow-only")) : COSTS;
  return (
    <section class="simulators-section">
      <header>
        <h2>Simulators</h2>
        <span class="soft small">{summary(rows, isAfter)}</span>
      </header>
      <table class={`simulators${isAfter ? " after" : ""}`} role="table">
        <caption class="hidden">
          {isAfter ? "Simulators and what they did" : "Simulators, and what this circuit would cost on each"}
        </caption>
        <thead role="rowgroup">
          <tr role="row">
            <th class="pick" role="columnheader" scope="col">
              <ChooseAll rows={rows} onChoose={onChoose} />
            </th>
            <th class="who" role="columnheader" scope="col">
              simulator
            </th>
            {columns.map((head) => (
              <th
                key={head.html}
                class={head.class}
                role="columnheader"
                scope="col"
                dangerouslySetInnerHTML={{ __html: head.html }}
              />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <SimulatorLine key={row.names[0]} row={row} columns={columns} isAfter={isAfter} onChoose={onChoose} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function ChooseAll({ rows, onChoose }: Pick<SimulatorsProps, "rows" | "onChoose">) {
  const able = rows.filter((row) => row.canRun);
  const chosen = able.filter((row) => row.isChosen);
  return (
    <label>
      <input
        type="checkbox"
        aria-label="All simulators"
        disabled={able.length === 0}
        checked={able.length > 0 && chosen.length === able.length}
        ref={(box) => {
          if (box) {
            box.indeterminate = chosen.length > 0 && chosen.length < able.length;
          }
        }}
        onChange={(event) =>
          onChoose(
            able.flatMap(({ names }) => names),
            event.currentTarget.checked,
          )
        }
      />
    </label>
  );
}

interface LineProps {
  row: SimulatorRow;
  columns: Cell[];
  isAfter: boolean;
  onChoose: SimulatorsProps["onChoose"];
}

function SimulatorLine({ row, columns, isAfter, onChoose }: LineProps) {
  const reason = row.did?.reason ? (
    <td role="cell" colSpan={columns.length + 1} dangerouslySetInnerHTML={{ __html: row.did.reason }} />
  ) : row.reason ? (
    <td role="cell" colSpan={columns.length + 1}>
      <p>
        <Said text={row.reason} />
      </p>
    </td>
  ) : null;
  const kind = [row.did?.class ?? "", row.canRun || row.did ? "" : "gone", reason ? "has-reason" : ""];
  const name = visible(row.names.join(", "));
  return (
    <>
      <tr role="row" class={kind.filter(Boolean).join(" ")}>
        <td class="pick" role="cell">
          <label>
            <input
              type="checkbox"
              aria-label={name}
              disabled={!row.canRun}
              checked={row.canRun && row.isChosen}
              onChange={(event) => onChoose(row.names, event.currentTarget.checked)}
            />
          </label>
        </td>
        <th class="who" role="rowheader" scope="row">
          <b>{breakable(name)}</b>
          <small>{visible(row.version)}</small>
        </th>
        {row.did ? (
          row.did.cells.map((cell, at) => (
            <td key={`${at}`} class={cell.class} role="cell" dangerouslySetInnerHTML={{ __html: cell.html }} />
          ))
        ) : (
          <>
            <State row={row} />
            {isAfter ? <Spent row={row} columns={columns} /> : <Costs row={row} />}
          </>
        )}
      </tr>
      {reason && (
        <tr class="reason" role="row">
          <td class="wide-only" role="cell" />
          {reason}
        </tr>
      )}
    </>
  );
}

function State({ row }: { row: SimulatorRow }) {
  return (
    <td role="cell">
      <span class="says">
        {row.mark && <Mark name={row.mark} />}
        {row.says}
      </span>
      {row.share !== undefined && (
        <progress max={100} value={Math.floor(100 * row.share)} aria-label={row.names.join(", ")}>
          {Math.floor(100 * row.share)} %
        </progress>
      )}
    </td>
  );
}

function Costs({ row }: { row: SimulatorRow }) {
  const { estimate, canRun } = row;
  const time = estimate?.seconds === undefined ? "–" : duration(estimate.seconds);
  const memory = estimate?.memory_bytes === undefined ? "–" : mebibytes(estimate.memory_bytes);
  const exact = estimate === undefined ? "–" : estimate.exact ? "yes" : "no";
  const cells = canRun ? [exact, time, memory] : ["", "", ""];
  return (
    <>
      {cells.map((text, at) => (
        <td key={COSTS[at + 1]?.html} class="number wide-only" role="cell">
          {text}
        </td>
      ))}
      {canRun && estimate && (
        <td class="meta narrow-only" role="cell">
          {[time, memory].filter((text) => text !== "–").join(", ")}
          {estimate.exact ? `${time === "–" && memory === "–" ? "" : ", "}exact results too` : ""}
        </td>
      )}
    </>
  );
}

/** The cells of one that has not ended, of which there is only the time so far. */
function Spent({ row, columns }: { row: SimulatorRow; columns: Cell[] }) {
  return (
    <>
      {columns.slice(1).map((head) => (
        <td key={head.html} class={`${head.class} wide-only`} role="cell">
          {head.html === "time" ? (row.spent ?? "") : ""}
        </td>
      ))}
      {row.spent && (
        <td class="meta narrow-only" role="cell">
          {row.spent}
        </td>
      )}
    </>
  );
}

function summary(rows: SimulatorRow[], isAfter: boolean): string {
  const all = rows.flatMap(({ names }) => names).length;
  const able = rows.filter((row) => row.canRun).flatMap(({ names }) => names).length;
  if (isAfter) {
    const ran = rows.filter((row) => row.did).length;
    return ran < all && rows.every((row) => row.mark !== "running" && row.mark !== "queued")
      ? `${ran} of ${all} ran`
      : "";
  }
  const isAboutCircuit = rows.some(({ mark }) => mark === "cannot");
  return `${able} of ${all} ${isAboutCircuit ? "can run this circuit now" : "ready"}`;
}

/** A name that may be broken after each underscore. */
function breakable(name: string): ComponentChildren {
  return name.split("_").flatMap((piece, at) => (at === 0 ? [piece] : ["_", <wbr key={`${at}`} />, piece]));
}
