// The rows that the page has: blocks fetched when they come into view, and the totals.

import type { Column, Row, RowsPage, RowsQuery } from "../../protocol";
import type { RowsShownPage } from "../messages";
import { ask } from "./rpc";

const BLOCK_ROWS = 100;
const BLOCKS_MAX = 200;
/** So many rows the server gives at once. */
const FETCHED_ROWS_MAX = 1_000;

export type Question = Omit<RowsQuery, "offset" | "limit">;

export class Rows {
  columns: Column[] = [];
  total = 0;
  filtered = 0;
  /** Whether new rows follow a list, so that they need no keys. */
  isList = false;
  /** Whether new ones may be added, and these changed. */
  changeable = false;
  /** So many columns there are besides. */
  columnsLeft = 0;
  explain: RowsPage["explain"] = { index: null, examined: null };
  private readonly blocks = new Map<number, Row[]>();
  private readonly asked = new Set<number>();
  /** Answers to questions that were replaced since are dropped. */
  private generation = 0;
  private latest: Promise<void> = Promise.resolve();
  private question: Question = { table: "" };
  /** The columns as they were shown: an edit must not make them change places. */
  private order: string[] = [];

  constructor(private readonly onArrived: () => void) {}

  /** Asks anew; resolves when the block at `row` is there, or that of a question asked since. */
  load(question: Question, row = 0): Promise<void> {
    this.latest = this.loaded(question, row);
    return this.latest;
  }

  private async loaded(question: Question, row: number): Promise<void> {
    this.generation += 1;
    this.question = question;
    this.asked.clear();
    const generation = this.generation;
    const block = Math.floor(row / BLOCK_ROWS);
    let page: RowsShownPage;
    try {
      page = await this.fetch(block);
    } catch (error) {
      if (generation !== this.generation) return this.latest;
      throw error;
    }
    if (generation !== this.generation) return this.latest;
    this.blocks.clear();
    this.take(block, inOrder(page, this.order));
    this.order = this.columns.map(({ name }) => name);
  }

  at(row: number): Row | undefined {
    return this.blocks.get(Math.floor(row / BLOCK_ROWS))?.[row % BLOCK_ROWS];
  }

  /** One of the rows that are there. */
  any(): Row | undefined {
    for (const [row] of this.blocks.values()) if (row !== undefined) return row;
    return undefined;
  }

  /** Rows of a range, which are fetched if they are not there. */
  async collect(first: number, last: number): Promise<Row[]> {
    const found: Row[] = [];
    for (let at = first; at <= Math.min(last, this.filtered - 1); ) {
      const row = this.at(at);
      if (row !== undefined) {
        found.push(row);
        at += 1;
        continue;
      }
      const limit = Math.min(last - at + 1, FETCHED_ROWS_MAX);
      const columns = this.columns.map(({ name }) => name);
      const page = await ask("rows", { ...this.question, offset: at, limit, columns });
      if (page.rows.length === 0) break;
      found.push(...page.rows);
      at += page.rows.length;
    }
    return found;
  }

  /** Sees to it that these rows come. */
  want(first: number, last: number): void {
    const end = Math.min(last, this.filtered - 1);
    for (let block = Math.floor(first / BLOCK_ROWS); block * BLOCK_ROWS <= end; block += 1) {
      if (this.blocks.has(block) || this.asked.has(block)) continue;
      this.asked.add(block);
      const generation = this.generation;
      // Of the same columns as the first block, whatever its own rows have.
      this.fetch(block, this.order).then(
        (page) => {
          if (generation !== this.generation) return;
          this.take(block, page);
          this.onArrived();
        },
        () => this.asked.delete(block),
      );
    }
  }

  private fetch(block: number, columns?: string[]): Promise<RowsShownPage> {
    const place = { offset: block * BLOCK_ROWS, limit: BLOCK_ROWS };
    return ask("rows", { ...this.question, ...place, ...(columns ? { columns } : {}) });
  }

  private take(block: number, page: RowsShownPage): void {
    this.asked.delete(block);
    if (this.blocks.size >= BLOCKS_MAX) {
      const oldest = this.blocks.keys().next().value;
      if (oldest !== undefined) this.blocks.delete(oldest);
    }
    this.blocks.set(block, page.rows);
    this.columns = page.columns;
    this.columnsLeft = page.columns_left_out;
    this.total = page.total;
    this.filtered = page.filtered;
    this.isList = page.is_list;
    this.changeable = page.changeable;
    this.explain = page.explain;
  }
}

/** A page with its columns in the order of those that are known, and new ones behind. */
function inOrder(page: RowsShownPage, known: readonly string[]): RowsShownPage {
  const place = ({ name }: Column): number => {
    const at = known.indexOf(name);
    return at < 0 ? known.length : at;
  };
  const order = page.columns
    .map((column, at) => ({ column, at }))
    .sort((a, b) => place(a.column) - place(b.column) || a.at - b.at);
  return {
    ...page,
    columns: order.map(({ column }) => column),
    rows: page.rows.map((row) => ({
      ...row,
      cells: order.map(({ at }) => row.cells[at] ?? null),
    })),
  };
}
