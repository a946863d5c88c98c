// What stands around the grid: the buttons, the way here, the search, the counts at the bottom.

import { byId, grouped, h } from "../../webview/dom";
import type { TablePage } from "./table";

const FILTER_DELAY_MS = 120;
/** So soon after Ctrl+Z in the grid the editor's own answer to it comes. */
const EDITOR_UNDO_MS_MAX = 1_000;

/** Wires the fields: the search in all columns, and the line of conditions. */
export function wireFields(
  page: TablePage,
  undoneAt: () => number,
  textOfLine: () => string,
): void {
  const filter = byId<HTMLInputElement>("filter");
  const query = byId<HTMLInputElement>("query");
  let timer = 0;
  for (const input of [filter, query]) {
    input.addEventListener(
      "input",
      (event) => {
        // The editor answers Ctrl+Z in the grid as well, by undoing what was typed in a field.
        const isOurs = performance.now() - undoneAt() < EDITOR_UNDO_MS_MAX;
        if (!(event as InputEvent).inputType.startsWith("history") || !isOurs) return;
        event.stopImmediatePropagation();
        filter.value = page.view.filter;
        query.value = textOfLine();
        page.sheet.element.focus();
      },
      { capture: true },
    );
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || event.key === "ArrowDown") page.sheet.element.focus();
    });
  }
  filter.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      page.view.filter = filter.value;
      void page.load();
    }, FILTER_DELAY_MS);
  });
  query.addEventListener("change", () => page.setLine(query.value));
}

export function onClick(id: string, action: (anchor: HTMLElement) => void): void {
  const button = byId(id);
  button.addEventListener("click", () => action(button));
}

/** The tables that one came through. */
export function drawTrail(page: TablePage): void {
  const steps = [...page.trail, page.view].map(({ table }, at, all) => {
    const above = all[at - 1]?.table;
    const text = above !== undefined && table.startsWith(above) ? table.slice(above.length) : table;
    const button = h("button", { class: "quiet-button", title: table }, text);
    if (at === all.length - 1) button.setAttribute("aria-current", "page");
    else button.addEventListener("click", () => page.back(at));
    return button;
  });
  const trail = byId("trail");
  trail.replaceChildren(...steps);
  // Where one is counts more than where one began.
  trail.scrollLeft = trail.scrollWidth;
}

/** How many rows there are, where one is, what is selected, and how the rows were found. */
export function drawCounts(page: TablePage): void {
  const { filtered, total, explain, columns, columnsLeft } = page.rows;
  const { selection } = page.sheet;
  const parts = [
    filtered === total ? counted(total, "row") : `${grouped(filtered)} of ${counted(total, "row")}`,
  ];
  if (columnsLeft > 0) {
    parts.push(`${columns.length} of ${grouped(columns.length + columnsLeft)} columns`);
  }
  if (filtered > 0) {
    parts.push(selection.row < filtered ? `row ${grouped(selection.row + 1)}` : "new row");
    if (!selection.isOneCell) parts.push(selectedText(selection.cellCount, selection.rowCount));
  }
  byId("count").textContent = parts.join(" · ");
  const examined = explain.examined === null ? "" : `, ${grouped(explain.examined)} examined`;
  byId("plan").textContent =
    `${explain.index === null ? "no index" : `index ${explain.index}`}${examined}`;
  byId("empty").hidden = filtered > 0;
  byId("empty").textContent =
    total > 0
      ? "No row is like that."
      : `The table is empty.${page.takesRow ? " Type its first row in the line above." : ""}`;
}

function selectedText(cells: number, rows: number): string {
  return `${counted(cells, "cell")} in ${counted(rows, "row")} selected`;
}

function counted(count: number, one: string): string {
  return `${grouped(count)} ${one}${count === 1 ? "" : "s"}`;
}
