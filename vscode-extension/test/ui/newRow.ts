// The line below the last row: what is typed there becomes a row.

import * as assert from "node:assert/strict";
import { assertAccessible } from "./accessible";
import type { Editor } from "./editor";
import { count, openGrid } from "./pages";

/** Reached by keys, typed into, refused, added, undone; clicked; not there while some are hidden. */
export async function newRow(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "stock");
  const keys = editor.page.keyboard;
  const field = frame.locator(".editor .edit");
  const line = frame.locator(".row.new");
  const rows = async (wanted: string) =>
    editor.until(wanted, async () => (await count(frame)) === wanted);
  const activeLine = async () =>
    frame.locator(".row.new .cell.active").first().getAttribute("aria-label");
  await rows("6 rows");
  await frame.locator("#grid").focus();
  await keys.press("Control+End");
  await keys.press("ArrowDown");
  await frame.locator(".row.new .cell.active").waitFor();
  assert.equal(await activeLine(), "New row: type it here, or press Enter");
  assert.equal(await line.getAttribute("aria-rowindex"), "8");
  assert.equal(await frame.locator("#grid").getAttribute("aria-rowcount"), "8");
  await assertAccessible(frame, "the line for a new row");
  await editor.shot("new-row");

  const typed = '{ name = "kiwis", price = "free" }';
  await keys.type(typed);
  await editor.untilEqual("what was typed", typed, () => field.inputValue());
  await keys.press("Enter");
  await frame.locator(".refusal:not(:empty)").waitFor();
  await editor.shot("refused-new-row");
  await rows("6 rows");
  await field.fill('{ name = "kiwis", price = 0.5 }');
  await field.press("Enter");
  await rows("7 rows");
  await frame.locator(".row.new .cell.active").waitFor();
  await keys.type('{ name = "limes" }');
  await keys.press("Enter");
  await rows("8 rows");
  for (const left of ["7 rows", "6 rows"]) {
    await keys.press("Control+z");
    await rows(left);
  }

  await line.click();
  await field.waitFor();
  assert.match((await field.getAttribute("placeholder")) ?? "", /^\{ .*name = "…"/);
  await keys.press("Escape");
  await field.waitFor({ state: "detached" });
  await frame.locator("#filter").fill("figs");
  await rows("1 of 6 rows");
  await line.waitFor({ state: "detached" });
  await frame.locator("#filter").fill("");
  await rows("6 rows");
  await line.waitFor();

  await frame.locator("#grid").focus();
  await keys.press("Control+a");
  await keys.press("Delete");
  await rows("0 rows");
  await editor.shot("empty-table");
  await assertAccessible(frame, "an empty table");
  await frame.locator("#grid").focus();
  await keys.type('{ name = "nuts" }');
  await keys.press("Enter");
  await rows("1 row");
  await keys.press("Control+z");
  await rows("0 rows");
  await keys.press("Control+z");
  await rows("6 rows");
}
