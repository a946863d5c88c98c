// Pages that are there again, as they were, when the window is loaded again.

import * as assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import type { Editor } from "./editor";
import { openImport, untilStatus } from "./importing";
import { count, openGrid } from "./pages";

/** A table editor with conditions, an import that is not done yet, and one that is. */
export async function restored(editor: Editor): Promise<void> {
  const { page } = editor;
  await editor.run("View: Close All Editors");
  const grid = await openGrid(editor, "people");
  await grid.locator("#query").fill("age > 80");
  await grid.locator("#query").press("Enter");
  await editor.until("fewer rows", async () => /of 100,000 rows/.test(await count(grid)));
  const found = await count(grid);
  await grid.locator("#filter").fill("ann");
  await editor.until("still fewer", async () => (await count(grid)) !== found);
  await grid.locator(".head .sort", { hasText: "age" }).click();
  await grid.locator(".head .sort", { hasText: "age ▲" }).waitFor();
  const before = await count(grid);
  assert.match(before, /of 100,000 rows/);

  const done = await openImport(editor, "bad-plants.csv");
  await done.locator("#table").fill("numbered");
  await done.locator('select[data-column="id"]').selectOption("skip");
  const plants = await openImport(editor, "plants.csv");
  await plants.locator("#key").selectOption("id");
  await plants.locator('select[data-column="days"]').selectOption("text");
  await plants.locator('select[data-column="zip"]').selectOption("skip");
  await plants.locator("#table").fill("garden");
  await plants.locator("#infer").uncheck();
  await plants.locator("#replace").check();
  await plants.locator("td.skipped").first().waitFor();

  await editor.reload();
  const again = await frameOf(editor, "plants.csv");
  await chosen(editor, again);
  await editor.shot("import-restored");
  await again.locator("#run").click();
  await untilStatus(editor, again, /^3 rows are stored in garden\.$/);

  await editor.reload();
  const after = await frameOf(editor, "plants.csv");
  await untilStatus(editor, after, /^3 rows are stored in garden\. That was before the window/);
  assert.ok(await after.locator("#undo").isHidden());
  assert.doesNotMatch((await after.locator("#facts").textContent()) ?? "", /Nothing is stored yet/);
  await page.locator(".tab", { hasText: "Import bad-plants.csv" }).click();
  const other = await frameOf(editor, "bad-plants.csv");
  await editor.untilEqual("the name", "numbered", () => other.locator("#table").inputValue());
  await other
    .locator('select[data-column="id"] option:checked[value="skip"]')
    .waitFor({ state: "attached" });

  await page.locator(".tab", { hasText: /^people$/ }).click();
  const people = await editor.grid("people");
  await editor.until("the same rows", async () => (await count(people)) === before);
  assert.equal(await people.locator("#query").inputValue(), "age > 80");
  assert.equal(await people.locator("#filter").inputValue(), "ann");
  await people.locator(".head .sort", { hasText: "age ▲" }).waitFor();
  await editor.shot("table-restored");
  await editor.run("View: Close All Editors");
}

async function frameOf(editor: Editor, file: string): Promise<Frame> {
  const frame = await editor.frameWith(`#rows[aria-label="First rows of ${file}"]`);
  await frame.locator("#rows th").first().waitFor();
  return frame;
}

async function chosen(editor: Editor, frame: Frame): Promise<void> {
  await editor.until("the key", async () => (await frame.locator("#key").inputValue()) === "id");
  assert.equal(await frame.locator("#table").inputValue(), "garden");
  assert.equal(await frame.locator("#infer").isChecked(), false);
  assert.equal(await frame.locator("#replace").isChecked(), true);
  const of = (column: string) => frame.locator(`select[data-column="${column}"]`).inputValue();
  await editor.until("the column left out", async () => (await of("zip")) === "skip");
}
