// Blocks of cells as spreadsheets copy them, and what their texts become as Lua literals.

import type { LuaValue } from "../../protocol";

// Numbers with leading zeros are mostly none: telephone numbers, postal codes.
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

// A table, perhaps with its key.
const LITERAL = /^\s*(?:(?:[A-Za-z_]\w*|\[.+?\])\s*=\s*)?\{.*\}\s*,?\s*$/s;

/** The cells of a text with tabs and line ends; quoted ones may have both inside. */
export function parseBlock(text: string): string[][] {
  const rows: string[][] = [];
  const cell = /(?:"((?:[^"]|"")*)"(?=\t|\r?\n|$)|([^\t\r\n]*))(\t|\r?\n|\r|$)/gy;
  let row: string[] = [];
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (found === null) break;
    const [, quoted, plain = "", end = ""] = found;
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\t") {
      if (cell.lastIndex === text.length) row.push("");
      continue;
    }
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

/** Whether a text is cells of a spreadsheet, and not a row as Lua writes it. */
export function isBlock(text: string): boolean {
  if (LITERAL.test(text)) return false;
  return text.includes("\t") || (/[^\n]\n[^\n]/.test(text) && !/[{}=]/.test(text));
}

/** Cells as a text that spreadsheets take. */
export function blockText(rows: readonly (readonly string[])[]): string {
  const quoted = (text: string) =>
    /[\t\r\n]/.test(text) || text.startsWith('"') ? `"${text.replaceAll('"', '""')}"` : text;
  return rows.map((cells) => cells.map(quoted).join("\t")).join("\n");
}

/**
 * A pasted text as a Lua literal. `before` is what the cell has, `types` what its column has, the
 * most frequent first: where there is text, what looks like a number stays text.
 */
export function literalOf(
  text: string,
  before: LuaValue | null | undefined,
  types: readonly string[],
): string {
  const trimmed = text.trim();
  if (trimmed === "") return "nil";
  const type = before?.type ?? types[0];
  if (type === "string") return luaString(text);
  if (type === "table" && /^\{.*\}$/s.test(trimmed)) return trimmed;
  if (trimmed === "true" || trimmed === "false") return trimmed;
  return NUMBER.test(trimmed) ? trimmed.replace(/^\+/, "") : luaString(text);
}

export function luaString(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped.
  const escaped = text.replaceAll(/["\\\u0000-\u001f\u007f]/g, (character) => {
    if (character === "\n") return "\\n";
    if (character === '"' || character === "\\") return `\\${character}`;
    return `\\${String(character.charCodeAt(0)).padStart(3, "0")}`;
  });
  return `"${escaped}"`;
}
