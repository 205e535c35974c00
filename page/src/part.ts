/** Takes apart what the server shows of a comparison: its verdict, its table of simulators, what is above and below. */

export interface Cell {
  html: string;
  class: string;
}

export interface Row {
  class: string;
  cells: Cell[];
  /** What stands in the row beneath; empty if nothing does. */
  reason: string;
}

export interface Part {
  /** The elements of the verdict; empty before there is one. */
  verdict: string;
  /** The gates that the diagnosis names. */
  suspects: string[];
  /** The heads of the columns after the simulator's; empty if there is no table. */
  heads: Cell[];
  /** Name of a simulator -> its row. */
  rows: Map<string, Row>;
  /** What is shown between the verdict and the table, and what is shown below the table. */
  above: string;
  below: string;
}

export const EMPTY: Part = { verdict: "", suspects: [], heads: [], rows: new Map(), above: "", below: "" };

/** Reads the elements that `GET .../result` answers; attributes `data-part` and `data-simulator` tell them apart. */
export function readPart(html: string): Part {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const verdict = body.querySelector<HTMLElement>("[data-part=verdict]");
  const table = body.querySelector("[data-part=simulators]");
  verdict?.remove();
  return {
    verdict: verdict?.innerHTML ?? "",
    suspects: verdict?.dataset.suspects?.split(" ") ?? [],
    heads: [...(table?.querySelectorAll("thead th") ?? [])].slice(1).map(cell),
    rows: rowsOf(table),
    ...around(body, table),
  };
}

function rowsOf(table: Element | null): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const row of table?.querySelectorAll<HTMLTableRowElement>("tbody tr[data-simulator]") ?? []) {
    const name = row.dataset.simulator ?? "";
    if (row.classList.contains("reason")) {
      const reason = row.cells[row.cells.length - 1]?.innerHTML ?? "";
      rows.set(name, { class: "", cells: [], ...rows.get(name), reason });
    } else {
      rows.set(name, { class: row.className, cells: [...row.cells].slice(1).map(cell), reason: "" });
    }
  }
  return rows;
}

/** What stands before and after the section of the table. */
function around(body: HTMLElement, table: Element | null): { above: string; below: string } {
  const children = [...body.children];
  const at = children.findIndex((child) => child.contains(table));
  const html = (elements: Element[]) => elements.map(({ outerHTML }) => outerHTML).join("");
  return { above: html(children.slice(0, Math.max(at, 0))), below: html(children.slice(at + 1)) };
}

function cell(element: Element): Cell {
  return { html: element.innerHTML, class: element.className };
}
