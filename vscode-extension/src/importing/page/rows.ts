// The first rows of a file, with a choice for each column.

import type { ImportPreview, LuaValue } from "../../protocol";
import { grouped, h } from "../../webview/dom";

export type ColumnChoice = "" | "text" | "skip";

export interface RowsOptions {
  choiceOf(name: string): ColumnChoice;
  choose(name: string, choice: ColumnChoice): void;
  /** Whether columns of CSV become what is inferred. */
  infers: boolean;
  /** The column that is the key. */
  key: string;
}

type Column = ImportPreview["columns"][number];

export function rowsTable(preview: ImportPreview, options: RowsOptions): HTMLElement {
  const { columns, rows } = preview;
  const hasKeys = rows.some(({ key }) => key !== null);
  const skipped = columns.map(({ name }) => options.choiceOf(name) === "skip");
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "line"),
    ...(hasKeys ? [h("th", { scope: "col" }, "key")] : []),
    ...columns.map((column, at) => {
      const cell = header(column, preview.format === "csv", options);
      if (skipped[at] === true) cell.classList.add("skipped");
      return cell;
    }),
  );
  const body = rows.map(({ line, key, cells }) =>
    h(
      "tr",
      {},
      h("td", { class: "quiet" }, line === null ? "" : grouped(line)),
      ...(hasKeys ? [cellOf(key, false)] : []),
      ...cells.map((cell, at) => cellOf(cell, skipped[at] === true)),
    ),
  );
  return h("table", {}, h("thead", {}, head), h("tbody", {}, ...body));
}

function header(column: Column, isCsv: boolean, options: RowsOptions): HTMLElement {
  const { name, inferred, missing } = column;
  const types = Object.keys(column.types).join(", ");
  const select = h("select", { "aria-label": `What becomes of ${name}`, "data-column": name });
  for (const [value, text] of choicesOf(isCsv && options.infers ? inferred : null, isCsv)) {
    select.append(h("option", { value }, text));
  }
  select.value = options.choiceOf(name);
  if (select.selectedIndex < 0) select.value = "";
  select.addEventListener("change", () => options.choose(name, select.value as ColumnChoice));
  const facts = [types === "" ? "nothing" : types];
  if (missing > 0) facts.push(`${grouped(missing)} missing`);
  if (options.key === name || name === "@key") facts.push("the key");
  return h(
    "th",
    { scope: "col" },
    h("div", {}, name),
    h("div", { class: "quiet facts" }, facts.join(" · ")),
    select,
  );
}

function choicesOf(inferred: string | null, isCsv: boolean): [ColumnChoice, string][] {
  const out: [ColumnChoice, string] = ["skip", "leave out"];
  if (!isCsv) return [["", "as it is"], out];
  if (inferred === null || inferred === "string") return [["", "text"], out];
  return [["", inferred], ["text", "text"], out];
}

function cellOf(value: LuaValue | null, isSkipped: boolean): HTMLElement {
  const type = value?.type ?? "missing";
  const text = value === null ? "" : (value.content ?? value.text);
  const cell = h("td", { class: `type-${type}`, title: text }, text);
  if (value === null) cell.append(h("span", { class: "unseen" }, "missing"));
  if (isSkipped) cell.classList.add("skipped");
  return cell;
}
