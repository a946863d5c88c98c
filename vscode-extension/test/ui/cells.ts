// Tables that are changed: one cell, many at once, rows, undo.

import * as assert from "node:assert/strict";
import { assertAccessible } from "./accessible";
import type { Editor } from "./editor";
import { count, openGrid, untilColumn } from "./pages";

/** A cell edited, a refusal, a row added and deleted, all of it undone; a nested table followed. */
export async function edit(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "people");
  const cell = frame.locator('.row[aria-rowindex="2"] .cell', { hasText: "Ann" });
  await cell.click();
  await editor.page.keyboard.press("F2");
  const input = frame.locator(".editor .edit");
  await input.fill("no literal");
  await input.press("Enter");
  await frame.locator(".refusal:not(:empty)").waitFor();
  await editor.shot("refused-edit");
  await input.fill('"Anna"');
  await input.press("Enter");
  await frame.locator('.row[aria-rowindex="2"] .cell', { hasText: "Anna" }).waitFor();
  await frame.locator("#message .link").click();
  await frame.locator('.row[aria-rowindex="2"] .cell[title="Ann 1"]').waitFor();
  await frame.locator("#grid").focus();
  await editor.page.keyboard.press("Control+Home");
  await editor.page.keyboard.press("Delete");
  await editor.until("one row less", async () => (await count(frame)) === "99,999 rows");
  await editor.page.keyboard.press("Control+z");
  await editor.until("it is back", async () => (await count(frame)) === "100,000 rows");
  await frame.locator("#add").click();
  await frame.locator(".editor .edit").fill('new = { name = "New", age = 1 }');
  await frame.locator(".editor .edit").press("Enter");
  await editor.until("one row more", async () => (await count(frame)) === "100,001 rows");
  await frame.locator("#message .link").click();
  await editor.until("it is gone", async () => (await count(frame)) === "100,000 rows");
  await frame.locator('.row[aria-rowindex="2"] .type-table .follow').first().click();
  await editor.until("the nested table", async () => (await count(frame)) === "2 rows");
  await editor.shot("nested-table");
  await frame.locator("#trail button").first().click();
  await editor.until("the way back", async () => (await count(frame)) === "100,000 rows");
}

/** Many cells at once: one value for all, filled down, pasted, refused, deleted; each one undo. */
export async function cells(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "stock");
  const keys = editor.page.keyboard;
  const names = await frame.locator(".head .cell .sort").allTextContents();
  const column = (name: string) => names.findIndex((text) => text.startsWith(name));
  const [counts, prices] = [column("count"), column("price")];
  const before = ["10", "20", "30", "40", "50", "60"];
  await untilColumn(editor, frame, counts, before);
  const undo = async () => {
    await frame.locator("#message .link").click();
    await untilColumn(editor, frame, counts, before);
  };
  const at = (row: number, place: number) => frame.locator(`#cell-${row - 1}-${place}`);

  await at(2, counts).click();
  await keys.press("Shift+ArrowDown");
  await at(5, counts).click({ modifiers: ["Control"] });
  const selected = async (wanted: RegExp) =>
    editor.until(`the selection ${wanted}`, async () =>
      wanted.test((await frame.locator("#count").textContent()) ?? ""),
    );
  await selected(/3 cells in 3 rows selected/);
  await keys.press("F2");
  await frame.locator(".editor .edit").fill("7");
  await editor.shot("set-cells");
  await assertAccessible(frame, "the editing of cells");
  await keys.press("Control+Enter");
  await untilColumn(editor, frame, counts, ["10", "7", "7", "40", "7", "60"]);
  await undo();

  await at(2, counts).click({ button: "right" });
  await frame.locator(".menu").waitFor();
  await assertAccessible(frame, "the menu of a cell");
  await editor.shot("cell-menu");
  await keys.press("Escape");
  await at(1, counts).click();
  await at(4, prices).click({ modifiers: ["Shift"] });
  await keys.press("Control+d");
  await untilColumn(editor, frame, counts, ["10", "10", "10", "10", "50", "60"]);
  await untilColumn(editor, frame, prices, ["0.25", "0.25", "0.25", "0.25"]);
  await undo();

  await editor.copy("1\tkiwis\t0.5\n2\tlimes\tfree");
  await at(2, counts).click();
  await keys.press("Control+v");
  await frame.locator(".cell.wrong").waitFor();
  assert.equal(await frame.locator(".cell.wrong").getAttribute("id"), `cell-2-${prices}`);
  await untilColumn(editor, frame, counts, before);
  await editor.shot("refused-cells");
  await editor.copy("1\tkiwis\t0.5\n2\tlimes\t7");
  await at(2, counts).click();
  await keys.press("Control+v");
  await untilColumn(editor, frame, counts, ["10", "1", "2", "40", "50", "60"]);
  await undo();

  await at(2, 0).click();
  await keys.press("Shift+ArrowDown");
  await at(5, 0).click({ modifiers: ["Control"] });
  await keys.press("Delete");
  await editor.until("three rows less", async () => (await count(frame)) === "3 rows");
  await undo();
  await frame.locator("#grid").focus();
  await keys.press("Control+a");
  await selected(/18 cells in 6 rows selected/);
  await keys.press("Control+c");
  await editor.until("six rows", async () => (await editor.clipboard()).split("\n").length === 6);
  assert.equal(await frame.evaluate(() => getSelection()?.toString()), "");
  assert.equal((await editor.clipboard()).split("\n")[1], "2\t20\tpears\t0.5");
  await keys.press("Home");
}

/** What reaches below the last row becomes rows: of a list, of a map, refused, in the field for one. */
export async function pasting(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "stock");
  const keys = editor.page.keyboard;
  const at = (row: number, place: number) => frame.locator(`#cell-${row - 1}-${place}`);
  const rows = async (wanted: string) =>
    editor.until(wanted, async () => (await count(frame)) === wanted);
  const told = async (wanted: RegExp) =>
    editor.until(`the message ${wanted}`, async () =>
      wanted.test((await frame.locator("#message").textContent()) ?? ""),
    );
  const undo = async () => {
    await frame.locator("#message .link").click();
    await rows("6 rows");
  };
  await rows("6 rows");

  await editor.copy("1\tkiwis\t0.5\n2\tlimes\t0.75\n\tmelons\tfree");
  await at(6, 1).click();
  await keys.press("Control+v");
  await told(/^Nothing is changed\. Line 3 of what was copied: stock\[8\]\.price: expected number/);
  await rows("6 rows");
  await editor.untilEqual("the cell", "60", () => at(6, 1).textContent());
  await editor.shot("refused-rows");
  await editor.copy("1\tkiwis\t0.5\n2\tlimes\t0.75\n\tmelons\t2\tmore");
  await at(6, 1).click();
  await keys.press("Control+v");
  await told(/^3 cells are pasted\. 2 rows are added: stock\[7\] to stock\[8\]\. 1 did not fit/);
  await rows("8 rows");
  await untilColumn(editor, frame, 2, ["apples", "pears", "plums", "quinces", "figs", "kiwis"]);
  const pasted = [at(7, 2), at(8, 1), at(8, 3)];
  await editor.untilEqual("the new rows", ["limes", "", "2"], () =>
    Promise.all(pasted.map((cell) => cell.textContent())),
  );
  await editor.shot("pasted-rows");
  await assertAccessible(frame, "rows that were pasted");
  await undo();

  await frame.locator("#add").click();
  await editor.copy("1\tkiwis\n2\tlimes");
  await frame.locator(".editor .edit").press("Control+v");
  await told(/^2 rows are added: stock\[7\] to stock\[8\]\./);
  await rows("8 rows");
  await undo();

  const map = await openGrid(editor, "cities");
  await map.locator("#cell-1-1").click();
  await editor.copy("Lima\nKyiv");
  await keys.press("Control+v");
  const message = async (wanted: RegExp) =>
    editor.until(`the message ${wanted}`, async () =>
      wanted.test((await map.locator("#message").textContent()) ?? ""),
    );
  await message(/^The rows of cities have keys of their own, so new ones need them: copy the keys/);
  await editor.shot("rows-without-keys");
  const names = await map.locator(".head .cell .sort").allTextContents();
  await editor.copy(`lima\tLima\nkyiv\tKyiv`);
  await map.locator("#grid").focus();
  await keys.press("Control+Shift+V");
  await message(/^2 rows are added: cities\.lima to cities\.kyiv\./);
  await editor.until("four rows", async () => (await count(map)) === "4 rows");
  assert.match(names[1] ?? "", /^name/);
  await editor.untilEqual("the key", "kyiv", () => map.locator("#cell-0-0").textContent());
  await map.locator("#message .link").click();
  await editor.until("two rows", async () => (await count(map)) === "2 rows");
  await map.locator("#cell-1-0").click();
  await editor.copy("lima\tLima");
  await keys.press("Control+v");
  await message(/^1 cell is pasted\. The key of 1 row stays as it is\./);
  await untilColumn(editor, map, 1, ["Oslo", "Lima"]);
  await map.locator("#message .link").click();
  await untilColumn(editor, map, 1, ["Oslo", "Rome"]);
  await editor.run("View: Close All Editors");
}
