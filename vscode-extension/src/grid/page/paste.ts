// Pasting: what spreadsheets copy is laid over the cells from the active one on, and what reaches
// below the last row becomes new rows. All of it is one change, so one undo takes it back.

import type { Column } from "../../protocol";
import { grouped } from "../../webview/dom";
import { type CellChange, type Changing, check, done, type Place } from "./changing";
import { shown } from "./formats";
import { type Plan, planRows, startOfRows, type Target } from "./newRows";
import { literalOf, parseBlock } from "./pasting";
import { ask } from "./rpc";
import type { Block } from "./selection";
import { attempt } from "./status";
import type { TablePage } from "./table";

const NO_ROWS: Plan = { rows: [], left: 0, empty: 0 };

interface Pasted {
  changes: CellChange[];
  plan: Plan;
  /** Texts that have no column. */
  left: number;
  /** Rows whose keys are others than those that were pasted over them. */
  kept: number;
}

export class Paste {
  constructor(
    private readonly page: TablePage,
    private readonly changing: Changing,
  ) {}

  /** From the active cell on; or one value for all that is selected. */
  async cells(): Promise<void> {
    await attempt(async () => {
      const lines = await copied();
      const only = lines.length === 1 && lines[0]?.length === 1 ? lines[0][0] : undefined;
      const { sheet } = this.page;
      const isRow = this.page.rows.filtered === 0 || sheet.isNew(sheet.selection.row);
      if (only !== undefined && !isRow) {
        const places = await this.changing.places();
        const changes = places.map((place) => this.pasted(place, only));
        await this.store({ changes, plan: NO_ROWS, left: 0, kept: 0 });
        return;
      }
      const [first] = this.page.sheet.selection.strips();
      const top = first?.top ?? 0;
      await this.store(await this.laid(lines, top, first?.columns[0] ?? 0), top);
    });
  }

  /** All of it as new rows, wherever the active cell is. */
  async rows(): Promise<void> {
    await attempt(async () => this.addRows(await copied()));
  }

  /** Copied lines as new rows. */
  async addRows(lines: string[][]): Promise<void> {
    check(lines.length);
    const target = this.target();
    const plan = planRows(lines, startOfRows(lines, target), target);
    await this.store({ changes: [], plan, left: plan.left, kept: 0 }, this.page.rows.filtered);
  }

  /** Copied lines, laid over the table from a cell on. */
  private async laid(lines: string[][], top: number, start: number): Promise<Pasted> {
    check(lines.length);
    const { rows } = this.page;
    const there = await rows.collect(top, top + lines.length - 1);
    const changes: CellChange[] = [];
    let left = 0;
    let kept = 0;
    for (const [down, row] of there.entries()) {
      for (const [right, text] of (lines[down] ?? []).entries()) {
        const column = start + right;
        if (column === 0) {
          // Keys stay as they are: of whole rows all but the key is pasted.
          if (text.trim() !== shown(row.key)) kept += 1;
        } else if (column > rows.columns.length) left += 1;
        else changes.push(this.pasted(this.changing.place(row, top + down, column), text));
      }
    }
    const below = lines.slice(there.length);
    const plan = planRows(below, start, this.target(), there.length + 1);
    return { changes, plan, left: left + plan.left, kept };
  }

  private async store({ changes, plan, left, kept }: Pasted, top?: number): Promise<void> {
    const { page } = this;
    const count = plan.rows.length;
    if (changes.length + count === 0) throw new Error("There is no cell for what was copied.");
    check(changes.length + count);
    const before = page.rows.filtered;
    const isInOrder = page.view.orderBy === undefined && page.isWhole && page.rows.isList;
    const added = await this.changing.store(changes, plan.rows);
    const parts = changes.length > 0 ? [done(changes, "pasted")] : [];
    if (count > 0) parts.push(toldOf(added));
    if (kept > 0) {
      const whose =
        kept === 1
          ? "The key of 1 row stays as it is"
          : `The keys of ${grouped(kept)} rows stay as they are`;
      parts.push(`${whose}.`);
    }
    if (left > 0) parts.push(`${grouped(left)} did not fit and are left out.`);
    if (plan.empty > 0) parts.push(`Empty lines are left out: ${grouped(plan.empty)}.`);
    if (!page.isWhole && page.rows.filtered < before + count) {
      parts.push("Some of them may be out of sight: only rows that are looked for are shown.");
    }
    this.changing.undoable(parts.join(" "));
    if (top === undefined) return;
    const block = around(changes);
    if (count === 0 && block !== undefined) page.sheet.select(block);
    else if (count > 0 && isInOrder) {
      page.sheet.goTo(before + count - 1, page.sheet.selection.column);
      const right = block?.right ?? page.rows.columns.length;
      const place = { top, bottom: before + count - 1, left: block?.left ?? 1, right };
      page.sheet.select(place);
    }
  }

  /** What is known of the table, for its new rows. */
  target(): Target {
    const { rows, view } = this.page;
    return {
      name: view.table,
      columns: rows.columns,
      isList: rows.isList,
      keyType: rows.any()?.key.type,
    };
  }

  private pasted(place: Place, text: string): CellChange {
    const column: Column | undefined = this.page.rows.columns[place.column - 1];
    return { ...place, value: literalOf(text, place.before, Object.keys(column?.types ?? {})) };
  }
}

async function copied(): Promise<string[][]> {
  const lines = parseBlock((await ask("paste", {})).text);
  if (lines.length === 0) throw new Error("There is nothing to paste.");
  return lines;
}

/** How many rows there are now, and where. */
function toldOf(added: readonly (string | null)[]): string {
  const [first, last] = [added[0] ?? "", added.at(-1) ?? ""];
  if (added.length === 1) return `${first === "" ? "1 row" : first} is added.`;
  const where = first === "" || last === "" ? "" : `: ${first} to ${last}`;
  return `${grouped(added.length)} rows are added${where}.`;
}

function around(changes: readonly CellChange[]): Block | undefined {
  if (changes.length === 0) return undefined;
  const rows = changes.map(({ row }) => row);
  const columns = changes.map(({ column }) => column);
  return {
    top: Math.min(...rows),
    bottom: Math.max(...rows),
    left: Math.min(...columns),
    right: Math.max(...columns),
  };
}
