// Copying what is selected, and exporting all of it.

import type { Row } from "../../protocol";
import { grouped } from "../../webview/dom";
import { FORMATS, type Format, formatted, shown } from "./formats";
import type { Choice } from "./menu";
import { blockText } from "./pasting";
import { ask } from "./rpc";
import { attempt, say } from "./status";
import type { TablePage } from "./table";

const COPY_ROWS_MAX = 10_000;

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
      await ask("copy", { text: formatted(rows, this.page.rows.columns, format) });
      this.told(rows.length, ` as ${format}`, left);
    });
  }

  /** A cell as it is shown; several as spreadsheets take them. */
  async copyCells(): Promise<void> {
    await attempt(async () => {
      const { selection } = this.page.sheet;
      if (selection.isOneCell && selection.column > 0) {
        const value = this.page.valueAt(selection.row, selection.column);
        if (value != null) await ask("copy", { text: shown(value) });
        return;
      }
      const strips = selection.strips();
      const columns = [...new Set(strips.flatMap((strip) => strip.columns))].sort((a, b) => a - b);
      const { rows, left } = await this.selected();
      const texts = rows.map((row) =>
        columns.map((column) => {
          const value = column === 0 ? row.key : row.cells[column - 1];
          return value == null ? "" : shown(value);
        }),
      );
      await ask("copy", { text: blockText(texts) });
      this.told(rows.length, "", left);
    });
  }

  async exportRows(): Promise<void> {
    await attempt(async () => {
      const { path, rows } = await ask("export", this.page.rowsShown());
      const what = rows === 1 ? "row is" : "rows are";
      if (path !== null) say(`${grouped(rows)} ${what} exported to ${path}.`);
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
    return { rows, left: selection.rowCount - rows.length };
  }

  private told(count: number, how: string, left: number): void {
    const rest = left > 0 ? ` ${grouped(left)} more are left out; export has all.` : "";
    say(`${grouped(count)} ${count === 1 ? "row is" : "rows are"} copied${how}.${rest}`);
  }
}
