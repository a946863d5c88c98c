// What a cell has given, as outputs: text, grids of rows, errors with their places as links.

import { placeText } from "../evaluate/results";
import type { Evaluation, LuaValue, Problem } from "../protocol";

const ROWS_MAX = 200;
const COLUMNS_MAX = 30;

/** A value as a grid, if it is a table of tables; undefined if it is something else. */
export function gridHtml(value: LuaValue): string | undefined {
  const rows = (value.entries ?? []).slice(0, ROWS_MAX);
  if (rows.length === 0 || rows.some((row) => row.value.type !== "table")) return undefined;
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
  const left = value.omitted === true ? "<p class=more>… and more rows</p>" : "";
  return `${STYLE}<table class="lua-grid"><thead><tr>${head.join("")}</tr></thead><tbody>${lines.join("")}</tbody></table>${left}`;
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
