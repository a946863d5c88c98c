// Data as it also is: two hundred columns, none, texts that no cell holds, functions, tables ten deep;
// and a window that is narrow.

import * as assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { assertAccessible } from "./accessible";
import type { Editor } from "./editor";

const NARROW = { width: 620, height: 600 };

export async function oddities(editor: Editor): Promise<void> {
  await wide(editor);
  await long(editor);
  await functions(editor);
  await empty(editor);
  await deep(editor);
}

/** Unlike `openGrid`, also a table without rows. */
async function open(editor: Editor, table: string): Promise<Frame> {
  const widget = editor.page.locator(".quick-input-widget");
  await editor.withPicker(async (timeout) => {
    await editor.run("Lua Persist: Open Table…");
    const rows = widget.locator(".monaco-list-row .label-name");
    await rows
      .filter({ hasText: new RegExp(`^${table}$`) })
      .first()
      .click({ timeout });
    await widget.waitFor({ state: "hidden", timeout });
  });
  return editor.frameWith(`#grid[aria-label="Rows of ${table}"]`);
}

async function untilText(editor: Editor, frame: Frame, id: string, wanted: RegExp): Promise<void> {
  let seen = "";
  await editor.until(`${id} to be ${wanted}`, async () => {
    seen = (await frame.locator(`#${id}`).textContent()) ?? "";
    return wanted.test(seen);
  });
}

/** All columns are there, in an order that people expect, and only those in view are drawn. */
async function wide(editor: Editor): Promise<void> {
  const frame = await open(editor, "wide");
  await frame.locator("#cell-0-1").waitFor();
  const names = await frame.locator(".head .cell .sort").allTextContents();
  assert.match(names[1] ?? "", /^column_1\D/);
  assert.match(names[2] ?? "", /^column_2\D/);
  assert.ok(names.length < 30, `${names.length} columns are drawn`);
  assert.equal(await frame.locator("#grid").getAttribute("aria-colcount"), "201");
  await frame.locator("#grid").focus();
  await editor.page.keyboard.press("End");
  await frame.locator('#cell-0-200[aria-colindex="201"]').waitFor();
  await editor.untilEqual("the last cell", "200", () => frame.locator("#cell-0-200").textContent());
  await editor.until("the last head", async () =>
    /^column_200/.test((await frame.locator(".head .cell").last().textContent()) ?? ""),
  );
  await editor.until("the head above its column", async () => {
    const drawn = await frame.locator(".head .cell").last().boundingBox();
    const cell = await frame.locator("#cell-0-200").boundingBox();
    return drawn !== null && cell !== null && Math.abs(drawn.x - cell.x) < 1;
  });
  await editor.shot("wide-table");
  await editor.page.keyboard.press("Alt+Enter");
  await frame.locator(".menu").waitFor();
  await editor.page.keyboard.press("Escape");
}

/** What a cell cannot hold is seen, edited and copied whole. */
async function long(editor: Editor): Promise<void> {
  const frame = await open(editor, "odd");
  const { keyboard } = editor.page;
  await frame.locator('.cell[data-column="0"]', { hasText: "long" }).click();
  await keyboard.press("ArrowRight");
  await keyboard.press("Space");
  await untilText(editor, frame, "side", /^✕odd\.long\.text.*24,000 characters/);
  await editor.shot("whole-value");
  await assertAccessible(frame, "the panel of a value");
  await keyboard.press("ArrowDown");
  await untilText(editor, frame, "side", /^✕odd\.newline\.text.*line one\nline two/s);
  await keyboard.press("ArrowUp");
  await keyboard.press("Space");
  await keyboard.press("F2");
  const input = frame.locator(".editor .edit");
  await input.waitFor();
  await editor.untilEqual("all of it", 24_000 + 2, async () => (await input.inputValue()).length);
  await editor.until("a field that grows, within bounds", async () => {
    const box = await input.boundingBox();
    return box !== null && box.height > 100 && box.height < 300;
  });
  await keyboard.press("Escape");
  await keyboard.press("Control+c");
  await untilText(editor, frame, "message", /^Copied\.$/);
  await atOnce(frame);
  await keyboard.press("Escape");
  await frame.locator('.cell[data-column="1"]', { hasText: "lorem" }).click();
  assert.equal((await editor.clipboard()).length, 24_000);
  await keyboard.press("Control+Shift+C");
  await untilText(editor, frame, "message", /^1 row is copied as Lua\.$/);
  assert.ok((await editor.clipboard()).length > 24_000);
}

/** A key that comes before the next frame is for the cell that was clicked, not the one before it. */
async function atOnce(frame: Frame): Promise<void> {
  await frame.evaluate(() => {
    const event = { bubbles: true };
    document.querySelector("#cell-0-0")?.dispatchEvent(new MouseEvent("mousedown", event));
    document.querySelector("#cell-2-1")?.dispatchEvent(new MouseEvent("mousedown", event));
    const key = new KeyboardEvent("keydown", { ...event, key: "F2" });
    document.querySelector("#grid")?.dispatchEvent(key);
  });
  const field = await frame.locator(".editor").boundingBox();
  const cell = await frame.locator("#cell-2-1").boundingBox();
  assert.ok(field && cell);
  assert.deepEqual([field.x, field.y], [cell.x, cell.y]);
}

/** A function leads to its source, and is not taken for something to type. */
async function functions(editor: Editor): Promise<void> {
  const frame = await open(editor, "odd");
  const { page } = editor;
  await frame.locator('.cell[data-column="0"]', { hasText: /^fn$/ }).click();
  await page.keyboard.press("Enter");
  await untilText(editor, frame, "trail", /\.fn$/);
  await frame.locator(".cell.type-function").first().click();
  await page.keyboard.press("F2");
  await untilText(editor, frame, "message", /^A function is changed where its source is/);
  await page.keyboard.press("Enter");
  await page.waitForSelector('.tab.active[data-resource-name="odd.fn.f (stored).lua"]');
  // What is only shown is not evaluated: no button, no command.
  await editor.untilEqual("no button", 0, () =>
    page.locator('a[aria-label^="Evaluate File"]').count(),
  );
  await page.keyboard.press("Control+w");
}

/** Each button of an empty table says what is missing; the key for a new row is that alone. */
async function empty(editor: Editor): Promise<void> {
  const frame = await open(editor, "empty");
  for (const [id, wanted] of [
    ["profile", /^The table is empty: there is no column to look at\.$/],
    ["chart", /^The table is empty: there is no column to look at\.$/],
    ["delete", /^There is no row to delete\.$/],
  ] as const) {
    await frame.locator(`#${id}`).click();
    await untilText(editor, frame, "message", wanted);
  }
  await frame.locator("#copy").click();
  await frame.locator(".menu button", { hasText: "as CSV" }).click();
  await untilText(editor, frame, "message", /^There is no row to copy\.$/);
  await frame.locator("#grid").focus();
  await editor.page.keyboard.press("Insert");
  const input = frame.locator(".editor .edit");
  assert.equal(await input.getAttribute("placeholder"), "ann = { age = 41 }");
  assert.equal(await editor.page.locator('[id="status.editor.inputMode"]').count(), 0);
  await editor.shot("add-row");
  await input.fill("just words");
  await input.press("Enter");
  await frame.locator(".refusal", { hasText: 'A text has quotes: "just words"' }).waitFor();
  await assertAccessible(frame, "a row that is added");
  await input.fill("ann = {\n  age = 41,\n}");
  await input.press("Enter");
  await untilText(editor, frame, "count", /^1 row ·/);
  await frame.locator("#message .link").click();
  await untilText(editor, frame, "count", /^0 rows$/);
}

/** However deep one is and however narrow the window: one sees where, and everything is in reach. */
async function deep(editor: Editor): Promise<void> {
  const frame = await open(editor, "deep");
  // The row of the first level shows the second one as a column.
  for (let level = 2; level <= 10; level += 1) {
    await frame.locator(".row .follow").first().click();
    await untilText(editor, frame, "trail", new RegExp(`\\.level${level}$`));
  }
  const size = editor.page.viewportSize();
  for (const view of [size, NARROW]) {
    assert.ok(view);
    await editor.page.setViewportSize(view);
    const { width } = view;
    await editor.until("the width of the window", () =>
      frame.evaluate((wanted) => window.innerWidth <= wanted, width),
    );
    await editor.untilEqual("what is out of reach", [], () =>
      frame.evaluate(() =>
        [...document.querySelectorAll(".toolbar > *, #trail [aria-current]")]
          .filter((each) => {
            const { left, right } = each.getBoundingClientRect();
            return left < 0 || right > window.innerWidth;
          })
          .map((each) => each.outerHTML),
      ),
    );
  }
  await frame.locator("#value").click();
  await frame.locator("#side h2", { hasText: "level10" }).waitFor();
  await editor.until("the panel in the window", async () => {
    const side = await frame.locator("#side .close").boundingBox();
    return side !== null && side.x < NARROW.width;
  });
  await editor.shot("narrow");
  if (size !== null) await editor.page.setViewportSize(size);
}
