// The panel with the value of the active cell in full: what a column is too narrow for.

import { grouped, h } from "../../webview/dom";
import { ask } from "./rpc";
import { attempt, say } from "./status";
import type { TablePage } from "./table";

/** More than that nobody reads in a panel. */
const SHOWN_CHARACTERS_MAX = 100_000;

export async function valueView(page: TablePage): Promise<Node[]> {
  const { row, column } = page.sheet.selection;
  const there = page.rows.at(row);
  const path = page.pathIn(there, column);
  const title = h("h2", {}, path ?? "Value");
  if (there === undefined) return [title, h("p", { class: "quiet" }, "There is no row.")];
  if (column > 0 && page.valueAt(row, column) == null) {
    return [title, h("p", { class: "quiet" }, "The row has no such field.")];
  }
  if (path === null) {
    const why = "No text leads to this row: its key is a table or a function, or the like.";
    return [title, h("p", { class: "quiet" }, why)];
  }
  const { value, text, complete } = await ask("whole", { path });
  const plain = value.content ?? text;
  const size = value.content === undefined ? "" : ` · ${counted(plain.length, "character")}`;
  const cut = complete || value.type === "function" ? "" : " · the beginning";
  const shown = plain.slice(0, SHOWN_CHARACTERS_MAX);
  const body = h(
    "pre",
    { class: `whole type-${value.type}`, tabindex: 0, "aria-label": path },
    shown,
  );
  return [
    title,
    h("p", { class: "quiet" }, `${value.type}${size}${cut}`),
    h(
      "p",
      {},
      button("Copy", async () => {
        await ask("copy", { text: plain });
        say("Copied.");
      }),
      button("Open in Editor", async () => {
        const ending = value.type === "string" ? "txt" : "lua";
        await ask("show", { name: `${path}.${ending}`, text: plain });
      }),
    ),
    shown === "" ? h("p", { class: "quiet" }, "The string is empty.") : body,
  ];
}

function button(text: string, act: () => Promise<void>): HTMLElement {
  const element = h("button", { class: "link" }, text);
  element.addEventListener("click", () => void attempt(act));
  return element;
}

function counted(count: number, one: string): string {
  return `${grouped(count)} ${one}${count === 1 ? "" : "s"}`;
}
