// The page of the table editor: puts its parts together, and says which key does what.

import { byId } from "../../webview/dom";
import type { PageState } from "../messages";
import { Builder } from "./builder";
import { Changing } from "./changing";
import { lineOf } from "./conditions";
import { Copying } from "./copying";
import { Details } from "./details";
import "../../webview/base.css";
import "uplot/dist/uPlot.min.css";
import "./grid.css";
import { openMenu } from "./menu";
import { ask, listen } from "./rpc";
import { attempt, say } from "./status";
import { NO_COLUMN, TablePage } from "./table";
import { drawCounts, drawTrail, onClick, wireFields } from "./toolbar";

const start = JSON.parse(document.body.dataset.state ?? "{}") as PageState;
const page = new TablePage(
  start,
  {
    open: openCell,
    header: headerMenu,
    sort: (column) => page.toggleSort(column),
    key: pressed,
    menu: (anchor) => openMenu(anchor, [...changing.choices(), ...copying.choices()]),
    moved: () => {
      drawCounts(page);
      details.moved();
    },
  },
  () => {
    drawTrail(page);
    drawCounts(page);
    void details.draw();
  },
  drawBuilder,
);
const changing = new Changing(page);
const copying = new Copying(page);
const details = new Details(page, {
  createIndex: (index) => void changing.createIndex(index),
  dropIndex: (index) => void changing.dropIndex(index),
});
const builder = new Builder(byId("builder"), (conditions) => {
  page.view.conditions = conditions;
  byId<HTMLInputElement>("query").value = lineOf(conditions);
  void page.load();
});

function drawBuilder(): void {
  builder.show(
    page.view.conditions,
    page.rows.columns.map(({ name }) => name),
  );
}

/** Enter: a table is followed, anything else is edited; the key leads to the whole row. */
function openCell(row: number, column: number): void {
  if (page.sheet.isNew(row)) {
    changing.addRow();
    return;
  }
  const value = page.valueAt(row, column);
  if (value === undefined) return;
  const path = page.pathIn(page.rows.at(row), column);
  const opens = column === 0 ? page.hasFields : value?.type === "table";
  if (opens && path !== null) {
    details.close();
    page.follow(path);
  } else if (value?.type === "function" && path !== null && column > 0) {
    void attempt(async () => void (await ask("source", { path })));
  } else if (column > 0) void changing.edit(row, column);
}

function headerMenu(column: number, anchor: HTMLElement): void {
  const name = page.columnName(column);
  openMenu(anchor, [
    { text: "Sort ascending", key: "Alt+Up", run: () => page.sortBy(name, false) },
    { text: "Sort descending", key: "Alt+Down", run: () => page.sortBy(name, true) },
    {
      text: "Profile of the column",
      run: () => details.open({ kind: "profile", column: name }),
    },
    { text: "Chart of the column", run: () => details.open({ kind: "chart", column: name }) },
    { text: "Only rows that have it", run: () => page.addCondition(`${name} exists`) },
    { text: "Only rows without it", run: () => page.addCondition(`${name} missing`) },
    { text: "Create index by it", run: () => void changing.createIndex({ fields: [name] }) },
  ]);
}

function pressed(event: KeyboardEvent): void {
  const { row, column } = page.sheet.selection;
  const jump = event.ctrlKey || event.metaKey;
  const sort = (descending: boolean) => page.sortBy(page.columnName(column), descending);
  const actions: [boolean, () => void][] = [
    [page.sheet.isNew(row) && isTyped(event), () => changing.addRow(event.key)],
    [event.altKey && event.key === "Enter", () => openHeaderMenu(column)],
    [event.key === "Enter", () => openCell(row, column)],
    [event.key === "F2", () => void changing.edit(row, column)],
    [event.key === " ", () => details.toggleValue()],
    [jump && event.key === "Delete", () => void changing.clearCells()],
    [event.key === "Delete", () => void changing.deleteRows()],
    [event.key === "Insert", () => changing.addRow()],
    [jump && event.key === "d", () => void changing.fillDown()],
    [jump && event.shiftKey && event.key === "V", () => void changing.pasting.rows()],
    [jump && event.key === "v", () => void changing.pasting.cells()],
    [jump && event.shiftKey && event.key === "C", () => void copying.copyRows("Lua")],
    [jump && event.key === "c", () => void copying.copyCells()],
    [jump && event.key === "z", () => void changing.undo()],
    [(jump && event.key === "f") || event.key === "/", () => byId("filter").focus()],
    [(event.altKey && event.key === "ArrowLeft") || event.key === "Backspace", () => page.back()],
    [event.altKey && event.key === "ArrowUp", () => sort(false)],
    [event.altKey && event.key === "ArrowDown", () => sort(true)],
  ];
  const action = actions.find(([applies]) => applies)?.[1];
  if (action === undefined) return;
  event.preventDefault();
  // The editor hears of keys, too: Insert there is overtyping, and Ctrl+Z another undo.
  event.stopPropagation();
  action();
}

/** A character that a row could begin with: the others are keys that do something. */
function isTyped({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return [...key].length === 1 && !/[/\s]/.test(key) && !ctrlKey && !metaKey && !altKey;
}

/** The menu of a column by the keyboard. */
function openHeaderMenu(column: number): void {
  const anchor = page.sheet.activeHeader();
  if (anchor !== null) headerMenu(column, anchor);
}

function wire(): void {
  wireFields(
    page,
    () => changing.undoneAt,
    () => lineOf(page.view.conditions),
  );
  onClick("build", (toggle) => {
    const hidden = !byId("builder").hidden;
    byId("builder").hidden = hidden;
    toggle.setAttribute("aria-expanded", String(!hidden));
    if (!hidden) drawBuilder();
  });
  onClick("add", () => changing.addRow());
  onClick("edit", (anchor) => openMenu(anchor, changing.choices()));
  onClick("delete", () => void changing.deleteRows());
  onClick("copy", (anchor) => openMenu(anchor, copying.choices()));
  onClick("export", () => void copying.exportRows());
  onClick("refresh", () => void page.load(true));
  for (const kind of ["profile", "chart"] as const) {
    onClick(kind, () => {
      const column = page.columnName(Math.max(page.sheet.selection.column, 1));
      if (column === "") say(NO_COLUMN, true);
      else details.open({ kind, column });
    });
  }
  onClick("value", () => details.toggleValue());
  onClick("plan", () => details.open({ kind: "plan" }));
  listen((change) => {
    const root = page.view.table.split(/[.[]/)[0] ?? "";
    if (change.tables === null || change.tables.includes(root) || root === "Memory")
      void page.load(true);
  });
}

wire();
void page.load().then(() => {
  drawBuilder();
  page.sheet.element.focus();
  // For those who measure: when the first page was on the screen.
  requestAnimationFrame(() => {
    document.body.dataset.firstPage = String(performance.now());
  });
});
