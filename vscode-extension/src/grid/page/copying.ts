// Copying what is selected, and exporting all of it.

import type { Row } from "../../protocol";
import { grouped } from "../../webview/dom";
import { exportText } from "../messages";
import { FORMATS, type Format, formatted, shown } from "./formats";
import type { Choice } from "./menu";
import { blockText } from "./pasting";
import { ask } from "./rpc";
import { attempt, say } from "./status";
import type { TablePage } from "./table";
import { isCut } from "./whole";

const COPY_ROWS_MAX = 10_000;
/** So many values that cells show in part are fetched whole: one by one, and somebody waits. */
const WHOLE_MAX = 500;

export class Copying {
  constructor(private readonly page: TablePage) {}

  choices(): Choice[] {
    return [
      { text: "Copy selected cells", key: "Ctrl+C", run: () => void this.copyCells() },
      ...FORMATS.map((format) => ({
        text: `Copy selected rows as ${format}`,
        ...(format === "Lua" ? { key: "Ctrl+Shift+C" } : {}),
        run: () => void this.copyRows(format),
      })),
    ];
  }

  async copyRows(format: Format): Promise<void> {
    await attempt(async () => {
      const { rows, left } = await this.selected();
      const columns = this.page.rows.columns.map((_, at) => at + 1);
      const cut = await this.fill(rows, columns);
      await ask("copy", { text: formatted(rows, this.page.rows.columns, format) });
      this.told(rows.length, ` as ${format}`, left, cut);
    });
  }

  /** A cell as it is shown; several as spreadsheets take them. */
  async copyCells(): Promise<void> {
    await attempt(async () => {
      const { selection } = this.page.sheet;
      if (selection.isOneCell && selection.column > 0) {
        const { row, column } = selection;
        const value = this.page.valueAt(row, column);
        if (value == null) throw new Error("There is nothing in this cell.");
        const path = this.page.pathIn(this.page.rows.at(row), column);
        const found = isCut(value) && path !== null ? await ask("whole", { path }) : undefined;
        const text = found?.value.content ?? found?.text ?? shown(value);
        await ask("copy", { text });
        const isBeginning = isCut(value) && found?.complete !== true && value.type !== "function";
        say(isBeginning ? "The beginning of the value is copied: it is too large." : "Copied.");
        return;
      }
      const strips = selection.strips();
      const columns = [...new Set(strips.flatMap((strip) => strip.columns))].sort((a, b) => a - b);
      const { rows, left } = await this.selected();
      const cut = await this.fill(rows, columns);
      const texts = rows.map((row) =>
        columns.map((column) => {
          const value = column === 0 ? row.key : row.cells[column - 1];
          return value == null ? "" : shown(value);
        }),
      );
      await ask("copy", { text: blockText(texts) });
      this.told(rows.length, "", left, cut);
    });
  }

  async exportRows(): Promise<void> {
    await attempt(async () => {
      const done = await ask("export", this.page.rowsShown());
      if (done.path !== null) say(exportText(done));
    });
  }

  /** The rows that have a selected cell. */
  private async selected(): Promise<{ rows: Row[]; left: number }> {
    const { selection } = this.page.sheet;
    const rows: Row[] = [];
    for (const { top, bottom } of selection.strips()) {
      const end = Math.min(bottom, top + COPY_ROWS_MAX - rows.length - 1);
      rows.push(...(await this.page.rows.collect(top, end)));
    }
    if (rows.length === 0) throw new Error("There is no row to copy.");
    return { rows, left: selection.rowCount - rows.length };
  }

  /** Puts the whole values into the rows; how many are only their beginning. */
  private async fill(rows: Row[], columns: readonly number[]): Promise<number> {
    let asked = 0;
    let cut = 0;
    for (const [at, row] of rows.entries()) {
      const wanted = columns.filter((column) => column > 0 && isCut(row.cells[column - 1]));
      if (wanted.length === 0) continue;
      const cells = [...row.cells];
      for (const column of wanted) {
        const path = this.page.pathIn(row, column);
        asked += 1;
        const found = path === null || asked > WHOLE_MAX ? undefined : await ask("whole", { path });
        if (found?.complete !== true) cut += 1;
        if (found !== undefined) cells[column - 1] = { ...found.value, text: found.text };
      }
      rows[at] = { ...row, cells };
    }
    return cut;
  }

  private told(count: number, how: string, left: number, cut: number): void {
    const rest = [
      left > 0 ? ` ${grouped(left)} more are left out; export has all.` : "",
      cut > 0
        ? ` Of ${grouped(cut)} large ${cut === 1 ? "value" : "values"} only the beginning.`
        : "",
    ];
    say(`${grouped(count)} ${count === 1 ? "row is" : "rows are"} copied${how}.${rest.join("")}`);
  }
}
