// What the parts of the page share: which table is shown and how, its rows, the grid they are in,
// and the ways from one table to another.

import type { LuaValue, Row, RowsShown } from "../../protocol";
import { byId } from "../../webview/dom";
import type { PageState, View } from "../messages";
import { lineOf, parseLine, whereOf } from "./conditions";
import { shown } from "./formats";
import type { Header } from "./heads";
import { WHOLE } from "./newRows";
import { type Question, Rows } from "./rows";
import { ask, keepState } from "./rpc";
import { type Cell, Sheet, type SheetEvents } from "./sheet";
import { reasonOf, say } from "./status";

const KEY = "@key";
export const NO_COLUMN = "The table is empty: there is no column to look at.";

const NEW_CELL = { type: "new", label: "New row: type it here, or press Enter" };
const NEW_CELLS: readonly Cell[] = [
  { ...NEW_CELL, text: "+" },
  { ...NEW_CELL, text: "New row" },
];

export class TablePage {
  view: View;
  /** The views that one came through, the first one first. */
  readonly trail: View[];
  readonly rows: Rows;
  readonly sheet: Sheet;

  constructor(
    private readonly start: PageState,
    events: SheetEvents,
    /** What is around the grid is drawn anew. */
    private readonly onLoaded: () => void,
    /** Another table, or other conditions. */
    private readonly onShown: () => void,
  ) {
    this.view = start.view ?? fresh(start.table);
    this.trail = start.trail ?? [];
    this.fillFields();
    this.rows = new Rows(() => this.sheet.render());
    this.sheet = new Sheet(
      byId("grid"),
      {
        rowCount: () => this.rows.filtered,
        takesRow: () => this.takesRow,
        headers: () => this.headers(),
        cell: (row, column) => this.cell(row, column),
        want: (first, last) => this.rows.want(first, last),
      },
      events,
    );
  }

  /** Asks the server for what the view shows now. */
  async load(keepPlace = false): Promise<void> {
    const { view, trail } = this;
    keepState({ ...this.start, table: view.table, view, trail });
    byId("app").setAttribute("aria-busy", "true");
    try {
      await this.rows.load(this.question(), keepPlace ? this.sheet.firstVisible : 0);
      // What was said about a change outlives the news of that change.
      if (!keepPlace) say("");
    } catch (error) {
      say(reasonOf(error), true);
      return;
    } finally {
      byId("app").removeAttribute("aria-busy");
    }
    this.sheet.layout();
    if (keepPlace) this.sheet.render();
    else this.sheet.reset();
    this.onLoaded();
  }

  /** Which rows are shown, as the server takes it: whatever is told of rows is told of these. */
  rowsShown(): RowsShown {
    const { table, conditions, filter } = this.view;
    const where = whereOf(conditions);
    return {
      table,
      ...(where === undefined ? {} : { where }),
      ...(filter === "" ? {} : { filter }),
    };
  }

  /** Whether all rows of the table are shown. */
  get isWhole(): boolean {
    return this.view.conditions.length === 0 && this.view.filter === "";
  }

  /** Where only some rows are shown, a new one might be out of sight at once. */
  get takesRow(): boolean {
    return this.isWhole && this.rows.changeable;
  }

  private question(): Question {
    const { orderBy, descending } = this.view;
    return {
      ...this.rowsShown(),
      ...(orderBy === undefined ? {} : { order_by: orderBy, descending }),
    };
  }

  // Ways

  follow(table: string): void {
    this.trail.push(this.view);
    this.show(fresh(table));
  }

  back(to = this.trail.length - 1): void {
    const before = this.trail[to];
    if (before === undefined) return;
    this.trail.length = to;
    this.show(before);
  }

  private show(view: View): void {
    this.view = view;
    this.fillFields();
    void ask("title", { table: view.table });
    this.onShown();
    void this.load().then(() => {
      this.onShown();
      this.sheet.element.focus();
    });
  }

  private fillFields(): void {
    byId<HTMLInputElement>("query").value = lineOf(this.view.conditions);
    byId<HTMLInputElement>("filter").value = this.view.filter;
  }

  // Order and conditions

  sortBy(name: string | undefined, descending: boolean): void {
    this.view.orderBy = name;
    this.view.descending = descending;
    void this.load();
  }

  /** Ascending, descending, as it was. */
  toggleSort(column: number): void {
    const name = this.columnName(column);
    if (this.view.orderBy !== name) this.sortBy(name, false);
    else if (!this.view.descending) this.sortBy(name, true);
    else this.sortBy(undefined, false);
  }

  addCondition(text: string): void {
    this.setLine(lineOf([...this.view.conditions, ...parseLine(text)]));
  }

  setLine(line: string): void {
    const input = byId<HTMLInputElement>("query");
    input.value = line;
    try {
      this.view.conditions = parseLine(line);
      input.removeAttribute("aria-invalid");
    } catch (error) {
      input.setAttribute("aria-invalid", "true");
      say(reasonOf(error), true);
      return;
    }
    this.onShown();
    void this.load();
  }

  // Cells

  columnName(column: number): string {
    return column === 0 ? KEY : (this.rows.columns[column - 1]?.name ?? "");
  }

  /** Whether rows are tables, so that one of them can be opened. */
  get hasFields(): boolean {
    return this.rows.columns.some(({ name }) => name !== WHOLE);
  }

  /** The path of a cell of a row; that of the row for its key. */
  pathIn(row: Row | undefined, column: number): string | null {
    const path = row?.path ?? null;
    if (path === null || column === 0) return path;
    const name = this.columnName(column);
    if (name === WHOLE) return path;
    return name.startsWith("[") ? path + name : `${path}.${name}`;
  }

  /** null: the row has no such field. undefined: it is not known yet. */
  valueAt(row: number, column: number): LuaValue | null | undefined {
    const found = this.rows.at(row);
    if (found === undefined) return undefined;
    return column === 0 ? found.key : found.cells[column - 1];
  }

  private cell(row: number, column: number): Cell | undefined {
    if (this.sheet.isNew(row)) return NEW_CELLS[column] ?? { ...NEW_CELL, text: "" };
    const value = this.valueAt(row, column);
    if (this.rows.at(row) === undefined) return undefined;
    const name = column === 0 ? "key" : this.columnName(column);
    if (value == null) return { text: "", type: "missing", label: `${name}: missing` };
    const text = shown(value).replaceAll(/\s*\n\s*/g, " ⏎ ");
    return { text, type: value.type, label: `${name}: ${text}, ${value.type}` };
  }

  private headers(): Header[] {
    const of = (name: string, text: string, types: string[]): Header => ({
      id: `${this.view.table} ${name}`,
      text,
      types,
      sort: this.sortOf(name),
    });
    return [
      of(KEY, "key", []),
      ...this.rows.columns.map(({ name, types }) =>
        of(name, name === WHOLE ? "value" : name, Object.keys(types)),
      ),
    ];
  }

  private sortOf(name: string): Header["sort"] {
    if (this.view.orderBy !== name) return "none";
    return this.view.descending ? "descending" : "ascending";
  }
}

function fresh(table: string): View {
  return { table, conditions: [], filter: "", orderBy: undefined, descending: false };
}
