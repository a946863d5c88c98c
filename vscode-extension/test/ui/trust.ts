// A folder that somebody opens without trusting it, looks at, and trusts then.

import * as assert from "node:assert/strict";
import type { Editor } from "./editor";
import { buttons, press, toast } from "./notifications";

const REFUSAL = "Nothing is evaluated or changed in a workspace that you do not trust";

/** Without trust evaluating is refused, and looking works; with trust everything does, at once. */
export async function trust(editor: Editor): Promise<void> {
  const { page } = editor;
  await page.locator(".part.banner", { hasText: "Restricted Mode" }).waitFor();
  await page.evaluate(() => {
    document.body.dataset.notReloaded = "yes";
  });

  await editor.openFile("first.lua");
  await editor.until("the status", async () => (await editor.status()).includes("untrusted"));
  await editor.goToLine(3);
  await page.keyboard.press("Control+Enter");
  const refusal = toast(editor, REFUSAL);
  await refusal.waitFor();
  assert.deepEqual(await buttons(refusal), ["Manage Workspace Trust"]);
  assert.deepEqual(await editor.behind(), []);
  assert.equal(await page.locator(".notifications-toasts .notification-list-item").count(), 1);

  await page.locator('.activitybar a[aria-label^="Lua Persist"]').first().click();
  const table = page.locator(".pane-body .monaco-list-row", { hasText: "cities" }).first();
  await table.waitFor();
  await table.click();
  const grid = await editor.grid("cities");
  // Rows are there, and nothing offers to add one.
  assert.equal(await grid.locator(".row.new").count(), 0);
  await editor.shot("untrusted");
  await editor.run("View: Close Editor");

  await press(refusal, "Manage Workspace Trust");
  await page.locator(".workspace-trust-editor").waitFor();
  await editor.shot("manage-trust");
  await page
    .locator(".workspace-trust-editor .monaco-button:visible", { hasText: /^Trust$/ })
    .first()
    .click();
  await editor.until("the session", () => editor.isIdle());
  // The page about trust lies above everything.
  await page.locator(".workspace-trust-header").first().click();
  await page.keyboard.press("Escape");
  await page.locator(".workspace-trust-editor").waitFor({ state: "hidden" });

  // Its settings name another file, which has no such table.
  await table.waitFor({ state: "detached" });
  await editor.openFile("first.lua");
  await editor.goToLine(2);
  await page.keyboard.press("Control+Enter");
  await editor.untilBehind("✓");
  await editor.goToLine(3);
  await page.keyboard.press("Control+Enter");
  await editor.untilBehind("=> 1");
  await page.locator(".codelens-decoration a").first().waitFor();
  assert.equal(await page.evaluate(() => document.body.dataset.notReloaded), "yes");
  await editor.shot("trusted");
}
