// What stories do with the page of the table editor.

import type { Frame } from "playwright-core";
import type { Editor } from "./editor";

export async function openGrid(editor: Editor, table: string): Promise<Frame> {
  const widget = editor.page.locator(".quick-input-widget");
  const rows = widget.locator(".monaco-list-row .label-name");
  await editor.withPicker(async (timeout) => {
    await editor.run("Lua Persist: Open Table…");
    const row = rows.filter({ hasText: new RegExp(`^${table}$`) }).first();
    await row.click({ timeout });
    await widget.waitFor({ state: "hidden", timeout });
  });
  return editor.grid(table);
}

export async function count(frame: Frame): Promise<string> {
  return ((await frame.locator("#count").textContent()) ?? "").replace(/ · (new )?row.*$/, "");
}

/** The text of a cell; rows count from 1, columns from the key. */
async function cellText(frame: Frame, row: number, column: number): Promise<string> {
  return (await frame.locator(`#cell-${row - 1}-${column}`).textContent()) ?? "";
}

export async function untilColumn(
  editor: Editor,
  frame: Frame,
  column: number,
  wanted: string[],
): Promise<void> {
  await editor.until(`column ${column} to be ${wanted.join(", ")}`, async () => {
    const texts = wanted.map((_, at) => cellText(frame, at + 1, column));
    return (await Promise.all(texts)).join() === wanted.join();
  });
}
