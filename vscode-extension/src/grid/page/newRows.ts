// What copied cells become as new rows. Knows nothing of the page and of the server.

import type { Column, NewRow } from "../../protocol";
import { literalOf } from "./pasting";

/** Where the value of rows that are no tables stands. */
export const WHOLE = "@value";
const NO_COLUMNS =
  "The table has no columns yet. Add a first row (Insert), or import the rows from a file: its " +
  "first line names the columns.";

/** What is known of the table that gets the rows. */
export interface Target {
  name: string;
  columns: readonly Column[];
  /** Whether new rows follow a list, so that they need no keys. */
  isList: boolean;
  /** The type of the keys that are there. */
  keyType: string | undefined;
}

export interface PlannedRow extends NewRow {
  /** Where it stood in what was copied, from 1. */
  line: number;
}

export interface Plan {
  rows: PlannedRow[];
  /** Texts to the right of the last column. */
  left: number;
  /** Lines without any text. */
  empty: number;
}

/**
 * New rows of copied lines, whose first text goes to column `start`; 0 is the key. Throws an error
 * that tells the way where there is none.
 */
export function planRows(
  lines: readonly (readonly string[])[],
  start: number,
  target: Target,
  firstLine = 1,
): Plan {
  const plan: Plan = { rows: [], left: 0, empty: 0 };
  const isBare = target.columns.length === 0;
  if (isBare && lines.some((texts) => texts.length > 1)) throw new Error(NO_COLUMNS);
  if (!isBare && !target.isList && start > 0 && lines.length > 0) {
    throw new Error(
      `The rows of ${target.name} have keys of their own, so new ones need them: copy the keys as ` +
        "the first column, and paste at a cell of the column “key”.",
    );
  }
  for (const [at, texts] of lines.entries()) {
    if (texts.every((text) => text.trim() === "")) {
      plan.empty += 1;
      continue;
    }
    const line = firstLine + at;
    const keys = start === 0 && !isBare ? 1 : 0;
    const values = texts.slice(keys);
    const columns = isBare ? [{ name: WHOLE, types: {} }] : target.columns.slice(start - 1 + keys);
    plan.left += values.slice(columns.length).filter((text) => text.trim() !== "").length;
    const value = rowValue(values, columns, line);
    if (keys === 0 || target.isList) plan.rows.push({ line, value });
    else plan.rows.push({ line, key: keyOf(texts[0] ?? "", target, line), value });
  }
  return plan;
}

/** In which column lines begin that are new rows, wherever the active cell is. */
export function startOfRows(lines: readonly (readonly string[])[], target: Target): number {
  const widest = Math.max(...lines.map((texts) => texts.length));
  return target.isList && widest <= target.columns.length ? 1 : 0;
}

const EXAMPLES: Record<string, string> = {
  string: '"…"',
  integer: "1",
  float: "0.5",
  boolean: "true",
  table: "{}",
};
const EXAMPLE_COLUMNS = 3;

/** A row as one could type it, with the first columns that there are. */
export function exampleOf({ columns, isList, keyType }: Target): string {
  if (columns.length === 0) return "ann = { age = 41 }";
  const value = ({ types }: Column) => EXAMPLES[Object.keys(types)[0] ?? ""] ?? "1";
  const [first] = columns;
  const fields = columns
    .filter(({ name }) => name !== WHOLE)
    .slice(0, EXAMPLE_COLUMNS)
    .map((column) => `${column.name} = ${value(column)}`);
  const row =
    first?.name === WHOLE || fields.length === 0
      ? value(first ?? { name: "", types: {} })
      : `{ ${fields.join(", ")} }`;
  if (isList) return row;
  return keyType === "string" || keyType === undefined ? `ann = ${row}` : `[7] = ${row}`;
}

function keyOf(text: string, { keyType }: Target, line: number): string {
  if (text.trim() === "") throw new Error(`Line ${line} of what was copied has no key.`);
  return literalOf(text, undefined, keyType === undefined ? [] : [keyType]);
}

function rowValue(texts: readonly string[], columns: readonly Column[], line: number): string {
  const fields: string[] = [];
  let whole: string | undefined;
  for (const [at, { name, types }] of columns.entries()) {
    const text = texts[at] ?? "";
    if (text.trim() === "") continue;
    const value = literalOf(text, undefined, Object.keys(types));
    if (name === WHOLE) whole = value;
    else fields.push(`${name} = ${value}`);
  }
  if (whole === undefined) {
    const isWhole = columns.length > 0 && columns.every(({ name }) => name === WHOLE);
    if (!isWhole) return `{ ${fields.join(", ")} }`;
    throw new Error(`Line ${line} of what was copied has no value.`);
  }
  if (fields.length === 0) return whole;
  throw new Error(`Line ${line} of what was copied has both a value and fields; a row has one.`);
}
