// Files that are looked at before they are imported.

import * as assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { assertAccessible } from "./accessible";
import type { Editor } from "./editor";

export async function openImport(editor: Editor, file: string): Promise<Frame> {
  await editor.run("Lua Persist: Import Rows…");
  await editor.choose(file);
  const frame = await editor.frameWith(`#rows[aria-label="First rows of ${file}"]`);
  await frame.locator("#rows th").first().waitFor();
  return frame;
}

export async function untilStatus(editor: Editor, frame: Frame, wanted: RegExp): Promise<void> {
  await editor.until(`the status ${wanted}`, async () =>
    wanted.test((await frame.locator("#status").textContent()) ?? ""),
  );
}

/** A file looked at before it is imported; what is wrong in one; one that is cancelled; undo. */
export async function importing(editor: Editor): Promise<void> {
  const bad = await openImport(editor, "bad-plants.csv");
  await bad.locator("#key").selectOption("id");
  await editor.until("the problems", async () => (await bad.locator("#problems li").count()) === 3);
  const told = (await bad.locator("#problems li").allTextContents()).join("\n");
  assert.match(told, /line 3 2 fields.*\n.*line 4 column id, the key, is empty\n.*line 5 the key/);
  assert.ok(await bad.locator("#run").isDisabled());
  await editor.shot("import-problems");
  await assertAccessible(bad, "an import with problems");
  await bad.locator("#problems .link").first().click();
  await editor.page.waitForSelector('.tab.active[data-resource-name="bad-plants.csv"]');
  await editor.page.keyboard.press("Control+w");

  const frame = await openImport(editor, "plants.csv");
  await frame.locator("#key").selectOption("id");
  await frame.locator('select[data-column="days"]').selectOption("text");
  await frame.locator('select[data-column="zip"]').selectOption("skip");
  await frame.locator("td.skipped").first().waitFor();
  await editor.until("the key", async () => (await frame.locator("td.type-string").count()) > 0);
  await editor.shot("import");
  await frame.locator("#table").fill("stock");
  await frame.locator("#run").click();
  // What the schema forbids is found when it is stored, and told with its place.
  await untilStatus(editor, frame, /^Nothing is stored\. line 2: stock\.fern\.days: expected/);
  await frame.locator("#table").fill("plants");
  await frame.locator("#run").click();
  await untilStatus(editor, frame, /^3 rows are stored in plants\.$/);
  await frame.locator("#open").click();
  const grid = await editor.grid("plants");
  const heads = (await grid.locator(".head .cell .sort").allTextContents()).join(" ");
  assert.match(heads, /days\s*string/);
  assert.doesNotMatch(heads, /zip/);
  await editor.untilEqual("the key", "aloe", () => grid.locator("#cell-0-0").textContent());
  await editor.page.keyboard.press("Control+w");
  await frame.locator("#undo").click();
  await untilStatus(editor, frame, / was undone; /);

  const long = await openImport(editor, "log.jsonl");
  await long.locator("#facts", { hasText: "Nothing is stored yet" }).waitFor();
  await long.locator("#run").click();
  await long.locator("#progress[value]").waitFor();
  await editor.shot("import-progress");
  await long.locator("#cancel").click();
  await untilStatus(editor, long, /^Nothing is stored\. The import was cancelled\.$/);
  await editor.run("View: Close All Editors");
}
