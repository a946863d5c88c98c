// Rows as text to copy: Lua, CSV, JSON, Markdown.

import type { Column, LuaValue, Row } from "../../protocol";

export const FORMATS = ["Lua", "CSV", "JSON", "Markdown"] as const;
export type Format = (typeof FORMATS)[number];

/** What a cell shows: strings without quotes, so that a number and a string differ by their style. */
export function shown(value: LuaValue): string {
  return (value.type === "string" ? value.content : undefined) ?? value.text;
}

export function formatted(
  rows: readonly Row[],
  columns: readonly Column[],
  format: Format,
): string {
  switch (format) {
    case "CSV":
      return csv(rows, columns);
    case "JSON":
      return json(rows, columns);
    case "Markdown":
      return markdown(rows, columns);
    case "Lua":
      return lua(rows, columns);
  }
}

function lua(rows: readonly Row[], columns: readonly Column[]): string {
  const lines = rows.map((row) => {
    const whole = columns.findIndex(({ name }) => name === "@value");
    const value = whole < 0 ? null : row.cells[whole];
    if (value != null) return `  [${row.key.text}] = ${value.text},`;
    const fields = row.cells.flatMap((cell, at) => {
      const name = columns[at]?.name ?? "";
      return cell === null ? [] : [`${name} = ${cell.text}`];
    });
    return `  [${row.key.text}] = { ${fields.join(", ")} },`;
  });
  return `{\n${lines.join("\n")}\n}\n`;
}

function csv(rows: readonly Row[], columns: readonly Column[]): string {
  const quoted = (text: string) =>
    /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const head = ["key", ...columns.map(({ name }) => name)];
  const lines = rows.map((row) =>
    [row.key, ...row.cells].map((cell) => (cell === null ? "" : quoted(shown(cell)))).join(","),
  );
  return `${[head.map(quoted).join(","), ...lines].join("\n")}\n`;
}

function json(rows: readonly Row[], columns: readonly Column[]): string {
  const objects = rows.map((row) => {
    const cells = row.cells.flatMap((cell, at) =>
      cell === null ? [] : [`${JSON.stringify(columns[at]?.name ?? "")}: ${jsonText(cell)}`],
    );
    return `  {${[`"@key": ${jsonText(row.key)}`, ...cells].join(", ")}}`;
  });
  return `[\n${objects.join(",\n")}\n]\n`;
}

/** Numbers stay as they are written: JSON has no limit to their digits, only its readers have. */
function jsonText(value: LuaValue): string {
  if (value.type === "boolean") return value.text;
  if (value.type === "integer") return value.text;
  if (value.type === "float" && Number.isFinite(Number(value.text))) return value.text;
  return JSON.stringify(shown(value));
}

function markdown(rows: readonly Row[], columns: readonly Column[]): string {
  const escaped = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\r?\n/g, " ");
  const line = (texts: string[]) => `| ${texts.map(escaped).join(" | ")} |`;
  const head = ["key", ...columns.map(({ name }) => name)];
  return `${[
    line(head),
    line(head.map(() => "---")),
    ...rows.map((row) =>
      line([row.key, ...row.cells].map((cell) => (cell === null ? "" : shown(cell)))),
    ),
  ].join("\n")}\n`;
}
