// What a cell has given, as outputs: text, grids of rows, errors with their places as links.

import { placeText } from "../evaluate/results";
import type { Evaluation, LuaValue, Problem } from "../protocol";

const ROWS_MAX = 200;
const COLUMNS_MAX = 30;

type Entry = NonNullable<LuaValue["entries"]>[number];

/** A value as a grid, if it is a table of tables; undefined if it is something else. */
export function gridHtml(value: LuaValue): string | undefined {
  const { listed, named } = parts(value.entries ?? []);
  if (listed.length === 0 || listed.some((row) => row.value.type !== "table")) return undefined;
  const all = listed.every(isFound) ? listed.map(unpacked) : listed;
  const rows = all.slice(0, ROWS_MAX);
  const names = new Map<string, LuaValue>();
  for (const row of rows) {
    for (const { key } of row.value.entries ?? []) {
      if (names.size < COLUMNS_MAX) names.set(key.text, key);
    }
  }
  if (names.size === 0) return undefined;
  const head = ["", ...[...names.values()].map(shown)].map((name) => `<th>${escaped(name)}</th>`);
  const lines = rows.map((row) => {
    const fields = new Map(
      (row.value.entries ?? []).map(({ key, value: cell }) => [key.text, cell]),
    );
    const cells = [...names.keys()].map((name) => cellHtml(fields.get(name)));
    return `<tr><th>${escaped(shown(row.key))}</th>${cells.join("")}</tr>`;
  });
  const isCut = value.omitted === true || rows.length < all.length;
  const left = [
    ...(isCut ? ["… and more rows"] : []),
    ...named.map(({ key, value: other }) => `${shown(key)} = ${other.text}`),
  ]
    .map((text) => `<p class="more">${escaped(text)}</p>`)
    .join("");
  return `${STYLE}<table class="lua-grid"><thead><tr>${head.join("")}</tr></thead><tbody>${lines.join("")}</tbody></table>${left}`;
}

/** Rows, and what a list of rows has besides: the page of a query has the cursor of the next one. */
function parts(entries: readonly Entry[]): { listed: Entry[]; named: Entry[] } {
  const listed = entries.filter(({ key }) => key.type === "integer");
  const named = entries.filter(({ key }) => key.type !== "integer");
  const isPage = listed.length > 0 && named.every(({ value }) => value.type !== "table");
  return isPage ? { listed, named } : { listed: [...entries], named: [] };
}

/** Whether it is a row as queries find them: a key, and a table of fields. */
function isFound({ value }: Entry): boolean {
  const entries = value.entries ?? [];
  const names = entries.map(({ key }) => key.content).sort();
  const fields = entries.find(({ key }) => key.content === "value")?.value;
  return names.join() === "key,value" && (fields?.entries?.length ?? 0) > 0;
}

function unpacked(row: Entry): Entry {
  const part = (name: string) =>
    row.value.entries?.find(({ key }) => key.content === name)?.value ?? row.value;
  return { key: part("key"), value: part("value") };
}

export function problemHtml(problem: Problem): string {
  const frames = problem.traceback.map((frame) => {
    const place = escaped(placeText(frame));
    const target = `${frame.uri ?? ""}#L${frame.line ?? 1}`;
    const shownPlace =
      frame.uri == null || !frame.uri.startsWith("file:")
        ? place
        : `<a href="${escaped(target)}">${place}</a>`;
    return `<li>${shownPlace} in ${escaped(frame.function)}</li>`;
  });
  const trace = frames.length === 0 ? "" : `<ul>${frames.join("")}</ul>`;
  return `${STYLE}<div class="lua-problem"><strong>${escaped(problem.message)}</strong>${trace}</div>`;
}

export function outputText(evaluation: Evaluation): string {
  return evaluation.output.map(({ text }) => text).join("");
}

const STYLE = `<style>
.lua-grid { border-collapse: collapse; font-family: var(--vscode-editor-font-family); }
.lua-grid th, .lua-grid td { border: 1px solid var(--vscode-editorWidget-border, #8884); padding: 2px 8px; text-align: left; }
.lua-grid thead th { background: var(--vscode-keybindingTable-headerBackground, #8881); }
.lua-grid tbody th { font-weight: normal; color: var(--vscode-descriptionForeground); }
.more { color: var(--vscode-descriptionForeground); margin: 4px 0 0; }
.lua-grid .number { text-align: right; }
.lua-problem { color: var(--vscode-errorForeground); font-family: var(--vscode-editor-font-family); white-space: pre-wrap; }
.lua-problem ul { margin: 4px 0 0; padding-left: 20px; color: var(--vscode-foreground); }
</style>`;

function cellHtml(value: LuaValue | undefined): string {
  if (value === undefined) return "<td></td>";
  const isNumber = value.type === "integer" || value.type === "float";
  return `<td${isNumber ? ' class="number"' : ""}>${escaped(shown(value))}</td>`;
}

function shown(value: LuaValue): string {
  return value.content ?? value.text;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
