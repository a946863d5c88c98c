// Changing cells and rows: one, or many at once. Whatever is done at once is stored or refused as a
// whole, and one undo takes it back.

import type { IndexInfo, LuaValue, NewIndex, Row } from "../../protocol";
import { byId, grouped } from "../../webview/dom";
import { editAt } from "./edit";
import type { Choice } from "./menu";
import { exampleOf, type PlannedRow } from "./newRows";
import { Paste } from "./paste";
import { isBlock, parseBlock } from "./pasting";
import { ask } from "./rpc";
import { isIn } from "./selection";
import { attempt, say, sayUndoable } from "./status";
import type { TablePage } from "./table";
import { sourceOf } from "./whole";

/** So many operations a batch of the server has at most. */
export const CHANGES_MAX = 10_000;
const NO_PATH = "has a key that no text leads to, so it cannot be changed here";

export interface CellChange {
  row: number;
  column: number;
  path: string;
  /** As Lua writes it; nil removes it. */
  value: string;
}

export interface Place {
  row: number;
  column: number;
  path: string;
  before: LuaValue | null | undefined;
}

export class Changing {
  /** When something was undone last. */
  undoneAt = Number.NEGATIVE_INFINITY;
  readonly pasting: Paste;

  constructor(private readonly page: TablePage) {
    this.pasting = new Paste(page, this);
  }

  /** What can be done with the selected cells. */
  choices(): Choice[] {
    const { selection } = this.page.sheet;
    return [
      {
        text: "Set value…",
        key: "F2, Ctrl+Enter for all",
        run: () => void this.edit(selection.row, selection.column),
      },
      { text: "Fill down", key: "Ctrl+D", run: () => void this.fillDown() },
      { text: "Paste cells", key: "Ctrl+V", run: () => void this.pasting.cells() },
      { text: "Paste as new rows", key: "Ctrl+Shift+V", run: () => void this.pasting.rows() },
      { text: "Clear cells", key: "Ctrl+Delete", run: () => void this.clearCells() },
      { text: "Delete rows", key: "Delete", run: () => void this.deleteRows() },
      { text: "Select all", key: "Ctrl+A", run: () => this.selectAll() },
    ];
  }

  /** Opens a field over a cell; what is typed there may be for all selected ones. */
  async edit(row: number, column: number): Promise<void> {
    await attempt(async () => {
      const { page } = this;
      if (page.sheet.isNew(row)) {
        this.addRow();
        return;
      }
      if (page.rows.at(row) === undefined) throw new Error("There is no cell to edit. Add a row.");
      const path = page.pathIn(page.rows.at(row), column);
      if (column === 0) {
        throw new Error("Keys stay as they are. Add a row with another key, and delete this one.");
      }
      if (path === null) throw new Error(`This row ${NO_PATH}.`);
      const value = page.valueAt(row, column);
      if (value?.type === "function") {
        throw new Error("A function is changed where its source is: Enter shows it.");
      }
      const source = await sourceOf(path, value);
      const anchor = page.sheet.activeElement();
      if (anchor !== null) this.editWith(anchor, path, source);
    });
  }

  private editWith(anchor: HTMLElement, path: string, source: string): void {
    const { page } = this;
    const count = page.sheet.selection.cellCount;
    editAt(anchor, {
      label: `Value of ${path}, as Lua writes it`,
      value: source,
      ...(count > 1
        ? { hint: `Enter: this cell. Ctrl+Enter: all ${grouped(count)} selected cells.` }
        : {}),
      save: async (text) => {
        await ask("set", { path, value: literal(text) });
        await page.load(true);
        this.undoable(`${path} is changed.`);
      },
      ...(count > 1 ? { saveAll: (text: string) => this.setAll(literal(text)) } : {}),
      closed: () => page.sheet.element.focus(),
    });
  }

  /** Opens the field for a new row: over the line for it if that is active, else at the button. */
  addRow(typed?: string): void {
    const { page } = this;
    const line = page.sheet.newLine();
    const example = exampleOf(this.pasting.target());
    editAt(line ?? byId("add"), {
      label: `New row: a key and a value, or a value alone, such as ${example}`,
      value: "",
      ...(typed === undefined ? {} : { typed }),
      example,
      hint: "A key and a value, or a value alone. Enter adds the row. Cells pasted here become rows.",
      below: line === undefined,
      save: async (text) => {
        const found = /^\s*(?:([A-Za-z_]\w*)|\[(.+?)\])\s*=(?!=)\s*(.+)$/s.exec(text);
        const key = found === null ? undefined : (found[2] ?? JSON.stringify(found[1]));
        const made = await ask("addRow", {
          table: page.view.table,
          value: found?.[3] ?? text,
          ...(key === undefined ? {} : { key }),
        });
        await page.load(true);
        // So the next one can be typed.
        if (line !== undefined) page.sheet.goTo(page.rows.filtered, page.sheet.selection.column);
        this.undoable(`${made.path} is added.`);
      },
      takes: (text) => {
        const lines = parseBlock(text);
        return isBlock(text) ? () => this.pasting.addRows(lines) : undefined;
      },
      closed: () => page.sheet.element.focus(),
    });
  }

  /** The rows that have a selected cell. */
  async deleteRows(): Promise<void> {
    await attempt(async () => {
      const { selection } = this.page.sheet;
      check(selection.rowCount);
      const changes: CellChange[] = [];
      for (const { top, bottom } of selection.strips()) {
        for (const [at, row] of (await this.page.rows.collect(top, bottom)).entries()) {
          changes.push({ row: top + at, column: 0, path: needed(row.path), value: "nil" });
        }
      }
      const [first] = changes;
      if (first === undefined) throw new Error("There is no row to delete.");
      const count = changes.length;
      const what = count === 1 ? `${first.path} is` : `${grouped(count)} rows are`;
      await this.apply(changes, `${what} deleted.`);
    });
  }

  async clearCells(): Promise<void> {
    await attempt(() => this.setAll("nil"));
  }

  /** The values of the first row of each selected block, in the rows below it. */
  async fillDown(): Promise<void> {
    await attempt(async () => {
      const places = await this.places();
      const changes: CellChange[] = [];
      for (const block of this.page.sheet.selection.blocks()) {
        const inside = places.filter(({ row, column }) => isIn(block, row, column));
        for (const { row, column, path } of inside) {
          if (row === block.top) continue;
          const from = inside.find((each) => each.row === block.top && each.column === column);
          changes.push({
            row,
            column,
            path,
            value: literal(await sourceOf(from?.path, from?.before)),
          });
        }
      }
      if (changes.length === 0) throw new Error("Select the cell to fill from and those below it.");
      await this.apply(changes, done(changes, "filled"));
    });
  }

  async undo(): Promise<void> {
    this.undoneAt = performance.now();
    await attempt(async () => {
      const { text } = await ask("undo", {});
      await this.page.load(true);
      say(text);
    });
  }

  async createIndex(index: Omit<NewIndex, "table">): Promise<void> {
    await attempt(async () => {
      await ask("createIndex", { table: this.page.view.table, ...index });
      await this.page.load(true);
      say(`There is an index by ${index.fields.join(", ")} now.`);
    });
  }

  async dropIndex({ fields, kind, name }: IndexInfo): Promise<void> {
    await attempt(async () => {
      const { table } = this.page.view;
      await ask("dropIndex", { table, fields, ...(kind === undefined ? {} : { kind }) });
      await this.page.load(true);
      say(`The index ${name} is dropped.`);
    });
  }

  private selectAll(): void {
    this.page.sheet.selection.selectAll();
    this.page.sheet.reveal();
  }

  private async setAll(value: string): Promise<void> {
    const changes = (await this.places()).map((place) => ({ ...place, value }));
    await this.apply(changes, done(changes, "changed"));
  }

  /** All selected cells but keys. */
  async places(): Promise<Place[]> {
    const { selection } = this.page.sheet;
    check(selection.cellCount);
    const found: Place[] = [];
    for (const { top, bottom, columns } of selection.strips()) {
      for (const [at, row] of (await this.page.rows.collect(top, bottom)).entries()) {
        for (const column of columns) {
          if (column > 0) found.push(this.place(row, top + at, column));
        }
      }
    }
    if (found.length === 0) throw new Error("Select cells of columns; keys stay as they are.");
    return found;
  }

  place(there: Row, row: number, column: number): Place {
    const path = needed(this.page.pathIn(there, column));
    return { row, column, path, before: there.cells[column - 1] };
  }

  private async apply(changes: CellChange[], told: string): Promise<void> {
    await this.store(changes, []);
    this.undoable(told);
  }

  /**
   * Stores all of it; the paths of the new rows come back. What was refused is shown, or told with
   * its line: then nothing is stored.
   */
  async store(changes: CellChange[], rows: PlannedRow[]): Promise<(string | null)[]> {
    const { page } = this;
    const sent = changes.map(({ path, value }) => ({ path, value }));
    const news = rows.map(({ key, value }) => (key === undefined ? { value } : { key, value }));
    const asked = { changes: sent, table: page.view.table, rows: news };
    const { added, failed } = await ask("change", asked);
    if (failed !== null) {
      const place = failed.index === null ? undefined : changes[failed.index];
      if (place !== undefined) page.sheet.blame(place.row, place.column, failed.message);
      const line = failed.row === null ? undefined : rows[failed.row]?.line;
      const where = line === undefined ? "" : `Line ${line} of what was copied: `;
      throw new Error(`Nothing is changed. ${where}${failed.message}`);
    }
    page.sheet.absolve();
    await page.load(true);
    return added;
  }

  undoable(text: string): void {
    sayUndoable(text, () => void this.undo());
  }
}

function literal(text: string): string {
  return text.trim() === "" ? "nil" : text;
}

/** Whether so many things can be changed at once. */
export function check(count: number): void {
  if (count <= CHANGES_MAX) return;
  throw new Error(
    `${grouped(count)} changes are too many at once; ${grouped(CHANGES_MAX)} are not. ` +
      "Select fewer, or evaluate a loop over the table.",
  );
}

function needed(path: string | null): string {
  if (path === null) throw new Error(`A row ${NO_PATH}.`);
  return path;
}

export function done(changes: readonly unknown[], how: string): string {
  const count = changes.length;
  return `${grouped(count)} ${count === 1 ? "cell is" : "cells are"} ${how}.`;
}
