// The page of the table editor: toolbar, query line, builder, grid, panel at the right.

import type { LuaValue } from "../../protocol";
import { Builder } from "./builder";
import { type Condition, lineOf, parseLine, whereOf } from "./conditions";
import { byId, grouped, h } from "./dom";
import { editAt } from "./edit";
import { FORMATS, type Format, formatted, shown } from "./formats";
import "./grid.css";
import { openMenu } from "./menu";
import { type Question, Rows } from "./rows";
import { ask, keepState, listen } from "./rpc";
import { type Cell, Sheet } from "./sheet";
import { planView, profileView } from "./side";

const FILTER_DELAY_MS = 120;
const COPY_ROWS_MAX = 10_000;
/** So soon after Ctrl+Z in the grid the editor's own answer to it comes. */
const EDITOR_UNDO_MS_MAX = 1_000;

interface View {
  table: string;
  conditions: Condition[];
  filter: string;
  orderBy: string | undefined;
  descending: boolean;
}

const start = JSON.parse(document.body.dataset.state ?? "{}") as { table: string; uri?: string };
let view: View = fresh(start.table);
const trail: View[] = [];
let undoneAt = Number.NEGATIVE_INFINITY;
let side: { kind: "profile"; column: string } | { kind: "plan" } | undefined;

const rows = new Rows(() => sheet.render());
const sheet = new Sheet(
  byId("grid"),
  {
    rowCount: () => rows.filtered,
    headers: () => [
      { text: "key", sort: sortOf("@key"), hint: "Sort by key" },
      ...rows.columns.map(({ name, types }) => ({
        text: name === "@value" ? "value" : name,
        sort: sortOf(name),
        hint: `${Object.keys(types).join(", ")}. Click to sort.`,
      })),
    ],
    cell,
    want: (first, last) => rows.want(first, last),
  },
  { open: openCell, header: headerMenu, sort: toggleSort, key: pressed, moved: updateStatus },
);
const builder = new Builder(byId("builder"), (conditions) => {
  view.conditions = conditions;
  byId<HTMLInputElement>("query").value = lineOf(conditions);
  void load();
});

function fresh(table: string): View {
  return { table, conditions: [], filter: "", orderBy: undefined, descending: false };
}

function question(): Question {
  const where = whereOf(view.conditions);
  return {
    table: view.table,
    ...(where === undefined ? {} : { where }),
    ...(view.filter === "" ? {} : { filter: view.filter }),
    ...(view.orderBy === undefined ? {} : { order_by: view.orderBy, descending: view.descending }),
  };
}

/** Asks the server for what the view shows now. */
async function load(keepPlace = false): Promise<void> {
  byId("app").setAttribute("aria-busy", "true");
  try {
    await rows.load(question(), keepPlace ? sheet.firstVisible : 0);
    // What was said about a change outlives the news of that change.
    if (!keepPlace) say("");
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
    return;
  } finally {
    byId("app").removeAttribute("aria-busy");
  }
  sheet.layout();
  if (keepPlace) sheet.render();
  else sheet.reset();
  updateTrail();
  updateStatus();
  void drawSide();
}

function cell(row: number, column: number): Cell | undefined {
  const found = rows.at(row);
  if (found === undefined) return undefined;
  if (column === 0) return cellOf(found.key, "key");
  const value = found.cells[column - 1];
  const name = rows.columns[column - 1]?.name ?? "";
  if (value == null) return { text: "", type: "missing", label: `${name}: missing` };
  return cellOf(value, name);
}

function cellOf(value: LuaValue, name: string): Cell {
  const text = shown(value).replaceAll(/\s*\n\s*/g, " ⏎ ");
  return { text, type: value.type, label: `${name}: ${text}, ${value.type}` };
}

function sortOf(name: string): "ascending" | "descending" | "none" {
  if (view.orderBy !== name) return "none";
  return view.descending ? "descending" : "ascending";
}

function columnName(column: number): string {
  return column === 0 ? "@key" : (rows.columns[column - 1]?.name ?? "");
}

/** Ascending, descending, as it was. */
function toggleSort(column: number): void {
  const name = columnName(column);
  if (view.orderBy !== name) sortBy(name, false);
  else if (!view.descending) sortBy(name, true);
  else sortBy(undefined, false);
}

function sortBy(name: string | undefined, descending: boolean): void {
  view.orderBy = name;
  view.descending = descending;
  void load();
}

function headerMenu(column: number, anchor: HTMLElement): void {
  const name = columnName(column);
  const profile = {
    text: "Profile of the column",
    run: () => {
      side = { kind: "profile", column: name };
      void drawSide();
    },
  };
  openMenu(anchor, [
    { text: "Sort ascending", run: () => sortBy(name, false) },
    { text: "Sort descending", run: () => sortBy(name, true) },
    profile,
    { text: "Only rows that have it", run: () => addCondition(`${name} exists`) },
    { text: "Only rows without it", run: () => addCondition(`${name} missing`) },
    { text: "Create index by it", run: () => void createIndex([name]) },
  ]);
}

function addCondition(text: string): void {
  setLine(lineOf([...view.conditions, ...parseLine(text)]));
}

function setLine(line: string): void {
  const input = byId<HTMLInputElement>("query");
  input.value = line;
  try {
    view.conditions = parseLine(line);
    input.removeAttribute("aria-invalid");
  } catch (error) {
    input.setAttribute("aria-invalid", "true");
    say(error instanceof Error ? error.message : String(error), true);
    return;
  }
  drawBuilder();
  void load();
}

function drawBuilder(): void {
  builder.show(
    view.conditions,
    rows.columns.map(({ name }) => name),
  );
}

// Cells: opening, editing, deleting.

function pathOf(row: number, column: number): string | null {
  const path = rows.at(row)?.path ?? null;
  if (path === null || column === 0) return path;
  const name = columnName(column);
  if (name === "@value") return path;
  return name.startsWith("[") ? path + name : `${path}.${name}`;
}

function valueAt(row: number, column: number): LuaValue | null | undefined {
  const found = rows.at(row);
  if (found === undefined) return undefined;
  return column === 0 ? found.key : found.cells[column - 1];
}

/** Enter: a table is followed, anything else is edited; the key leads to the whole row. */
function openCell(row: number, column: number): void {
  const value = valueAt(row, column);
  if (value === undefined) return;
  const path = pathOf(row, column);
  if (column === 0) {
    if (path !== null && rows.columns.some(({ name }) => name !== "@value")) follow(path);
    return;
  }
  if (value?.type === "table" && path !== null) follow(path);
  else edit(row, column);
}

function follow(path: string): void {
  trail.push(view);
  show(fresh(path));
}

function show(next: View): void {
  view = next;
  side = undefined;
  byId<HTMLInputElement>("query").value = lineOf(view.conditions);
  byId<HTMLInputElement>("filter").value = view.filter;
  void ask("title", { table: view.table });
  keepState({ ...start, table: view.table });
  void load().then(() => {
    drawBuilder();
    sheet.element.focus();
  });
}

function edit(row: number, column: number): void {
  const path = pathOf(row, column);
  const anchor = sheet.activeElement();
  if (column === 0 || anchor === null) return;
  if (path === null) {
    say("This key has no text that leads to it, so the cell cannot be edited here.", true);
    return;
  }
  const value = valueAt(row, column);
  editAt(anchor, {
    label: `Value of ${path}, as Lua writes it`,
    value: value == null ? "" : value.text,
    save: async (text) => {
      await ask("set", { path, value: text.trim() === "" ? "nil" : text });
      await load(true);
      undoable(`${path} is changed.`);
    },
    closed: () => sheet.element.focus(),
  });
}

function addRow(): void {
  editAt(byId("add"), {
    label: "New row: a key and a value, such as ann = { age = 41 }; or a value alone",
    value: "",
    save: async (text) => {
      const found = /^\s*(?:([A-Za-z_]\w*)|\[(.+?)\])\s*=(?!=)\s*(.+)$/s.exec(text);
      const key = found === null ? undefined : (found[2] ?? JSON.stringify(found[1]));
      const value = found?.[3] ?? text;
      const made = await ask("addRow", {
        table: view.table,
        value,
        ...(key === undefined ? {} : { key }),
      });
      await load(true);
      undoable(`${made.path} is added.`);
    },
    closed: () => sheet.element.focus(),
  });
}

async function deleteRows(): Promise<void> {
  const [from, to] = sheet.selection;
  const paths: string[] = [];
  for (let row = from; row <= to; row += 1) {
    const path = rows.at(row)?.path;
    if (path != null) paths.push(path);
  }
  if (paths.length === 0) return;
  await attempt(async () => {
    await ask("delete", { paths });
    await load(true);
    undoable(paths.length === 1 ? `${paths[0]} is deleted.` : `${paths.length} rows are deleted.`);
  });
}

async function undo(): Promise<void> {
  undoneAt = performance.now();
  await attempt(async () => {
    const { text } = await ask("undo", {});
    await load(true);
    say(text);
  });
}

async function createIndex(fields: string[]): Promise<void> {
  await attempt(async () => {
    await ask("createIndex", { table: view.table, fields });
    await load(true);
    say(`There is an index by ${fields.join(", ")} now.`);
  });
}

// Copying and exporting.

function copyMenu(anchor: HTMLElement): void {
  openMenu(
    anchor,
    FORMATS.map((format) => ({
      text: `Copy selected rows as ${format}`,
      run: () => void copyRows(format),
    })),
  );
}

async function copyRows(format: Format): Promise<void> {
  const [from, to] = sheet.selection;
  const end = Math.min(to, from + COPY_ROWS_MAX - 1);
  const found = [];
  for (let row = from; row <= end; row += 1) {
    const there = rows.at(row);
    if (there !== undefined) found.push(there);
  }
  await ask("copy", { text: formatted(found, rows.columns, format) });
  const missing = to - from + 1 - found.length;
  const left = missing > 0 ? ` ${grouped(missing)} were not looked at yet and are left out.` : "";
  say(
    `${grouped(found.length)} ${found.length === 1 ? "row is" : "rows are"} copied as ${format}.${left}`,
  );
}

async function copyCell(): Promise<void> {
  const value = valueAt(sheet.row, sheet.column);
  if (value != null) await ask("copy", { text: shown(value) });
}

async function exportRows(): Promise<void> {
  await attempt(async () => {
    const where = whereOf(view.conditions);
    const { path } = await ask("export", {
      table: view.table,
      ...(where === undefined ? {} : { where }),
    });
    if (path !== null) say(`Exported to ${path}.`);
  });
}

// What is around the grid.

async function drawSide(): Promise<void> {
  const element = byId("side");
  const wanted = side;
  if (wanted === undefined) {
    element.hidden = true;
    sheet.render();
    return;
  }
  const where = whereOf(view.conditions);
  try {
    const content =
      wanted.kind === "profile"
        ? profileView(
            wanted.column,
            await ask("profile", {
              table: view.table,
              column: wanted.column,
              ...(where === undefined ? {} : { where }),
            }),
            { filter: addCondition },
          )
        : planView(
            await ask("explain", {
              table: view.table,
              ...(where === undefined ? {} : { where }),
              ...(view.orderBy === undefined ? {} : { order_by: view.orderBy }),
            }),
            { createIndex: (fields) => void createIndex(fields) },
          );
    if (side !== wanted) return;
    const close = h("button", { class: "close quiet-button", "aria-label": "Close panel" }, "✕");
    close.addEventListener("click", () => {
      side = undefined;
      void drawSide();
    });
    element.replaceChildren(close, ...content);
    element.hidden = false;
  } catch (error) {
    side = undefined;
    element.hidden = true;
    say(error instanceof Error ? error.message : String(error), true);
  }
  sheet.render();
}

function updateTrail(): void {
  const steps = [...trail, view].map(({ table }, at, all) => {
    const above = all[at - 1]?.table;
    const text = above !== undefined && table.startsWith(above) ? table.slice(above.length) : table;
    const button = h("button", { class: "quiet-button", title: table }, text);
    if (at === all.length - 1) button.setAttribute("aria-current", "page");
    else
      button.addEventListener("click", () => {
        const back = trail[at];
        trail.length = at;
        if (back !== undefined) show(back);
      });
    return button;
  });
  byId("trail").replaceChildren(...steps);
}

function updateStatus(): void {
  const { filtered, total, explain } = rows;
  const count =
    filtered === total
      ? `${grouped(total)} rows`
      : `${grouped(filtered)} of ${grouped(total)} rows`;
  const place = filtered === 0 ? "" : ` · row ${grouped(sheet.row + 1)}`;
  byId("count").textContent = count + place;
  const examined = explain.examined === null ? "" : `, ${grouped(explain.examined)} examined`;
  byId("plan").textContent =
    `${explain.index === null ? "no index" : `index ${explain.index}`}${examined}`;
  byId("empty").hidden = filtered > 0;
  byId("empty").textContent = total === 0 ? "The table is empty." : "No row is like that.";
}

function say(text: string, isError = false): void {
  const element = byId("message");
  element.className = isError ? "error" : "";
  element.replaceChildren(text);
}

function undoable(text: string): void {
  say(`${text} `);
  const button = h("button", { class: "link" }, "Undo");
  button.addEventListener("click", () => void undo());
  byId("message").append(button);
}

async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
  }
}

function pressed(event: KeyboardEvent): void {
  const jump = event.ctrlKey || event.metaKey;
  const actions: [boolean, () => void][] = [
    [event.key === "Enter", () => openCell(sheet.row, sheet.column)],
    [event.key === "F2", () => edit(sheet.row, sheet.column)],
    [event.key === "Delete", () => void deleteRows()],
    [event.key === "Insert", addRow],
    [jump && event.key === "c", () => void (event.shiftKey ? copyRows("Lua") : copyCell())],
    [jump && event.key === "z", () => void undo()],
    [(jump && event.key === "f") || event.key === "/", () => byId("filter").focus()],
    [(event.altKey && event.key === "ArrowLeft") || event.key === "Backspace", back],
    [event.altKey && event.key === "ArrowUp", () => sortBy(columnName(sheet.column), false)],
    [event.altKey && event.key === "ArrowDown", () => sortBy(columnName(sheet.column), true)],
  ];
  const action = actions.find(([applies]) => applies)?.[1];
  if (action === undefined) return;
  event.preventDefault();
  action();
}

function back(): void {
  const before = trail.pop();
  if (before !== undefined) show(before);
}

function wire(): void {
  let timer = 0;
  const filter = byId<HTMLInputElement>("filter");
  const query = byId<HTMLInputElement>("query");
  for (const input of [filter, query]) {
    input.addEventListener(
      "input",
      (event) => {
        // The editor answers Ctrl+Z in the grid as well, by undoing what was typed in a field.
        const isOurs = performance.now() - undoneAt < EDITOR_UNDO_MS_MAX;
        if (!(event as InputEvent).inputType.startsWith("history") || !isOurs) return;
        event.stopImmediatePropagation();
        filter.value = view.filter;
        query.value = lineOf(view.conditions);
        sheet.element.focus();
      },
      { capture: true },
    );
  }
  filter.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      view.filter = filter.value;
      void load();
    }, FILTER_DELAY_MS);
  });
  query.addEventListener("change", () => setLine(query.value));
  for (const input of [filter, query]) {
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || event.key === "ArrowDown") sheet.element.focus();
    });
  }
  const toggle = byId("build");
  toggle.addEventListener("click", () => {
    const hidden = !byId("builder").hidden;
    byId("builder").hidden = hidden;
    toggle.setAttribute("aria-expanded", String(!hidden));
    if (!hidden) drawBuilder();
  });
  byId("add").addEventListener("click", addRow);
  byId("delete").addEventListener("click", () => void deleteRows());
  byId("copy").addEventListener("click", () => copyMenu(byId("copy")));
  byId("export").addEventListener("click", () => void exportRows());
  byId("refresh").addEventListener("click", () => void load(true));
  byId("profile").addEventListener("click", () => {
    side = { kind: "profile", column: columnName(Math.max(sheet.column, 1)) };
    void drawSide();
  });
  byId("plan").addEventListener("click", () => {
    side = { kind: "plan" };
    void drawSide();
  });
  listen((change) => {
    const root = view.table.split(/[.[]/)[0] ?? "";
    if (change.tables === null || change.tables.includes(root) || root === "Memory")
      void load(true);
  });
}

wire();
keepState(start);
void load().then(() => {
  drawBuilder();
  sheet.element.focus();
  // For those who measure: when the first page was on the screen.
  requestAnimationFrame(() => {
    document.body.dataset.firstPage = String(performance.now());
  });
});
