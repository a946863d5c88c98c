// The first minutes of somebody who has just installed the extension.

import type { Editor } from "./editor";

export async function walkthrough(editor: Editor): Promise<void> {
  await editor.run("Lua Persist: Open Walkthrough");
  await editor.page.locator("button", { hasText: "Evaluate" }).first().click();
  await editor.page.waitForTimeout(1_000);
  await editor.shot("walkthrough");
}

/** Somebody who has just installed the extension: opens a file, evaluates, stores. */
export async function newcomer(editor: Editor, measured: Record<string, number>): Promise<void> {
  const started = Date.now();
  await editor.openFile("first.lua");
  await editor.until("the set-up", async () => (await editor.status()).includes("setting up"));
  await editor.page.locator(".codicon-bell-dot, .codicon-bell").first().click();
  await editor.page
    .locator(".notification-list-item", { hasText: "setting up the Lua server" })
    .waitFor();
  await editor.shot("set-up");
  await editor.page.keyboard.press("Escape");
  await editor.until("the server", () => editor.isIdle(), 120_000);
  await editor.goToLine(2);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("✓");
  await editor.goToLine(3);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("=> 1");
  measured.newcomer_s = Math.round((Date.now() - started) / 100) / 10;
}

/** The editor is opened again: what was stored is there. */
export async function afterwards(editor: Editor): Promise<void> {
  await editor.openFile("first.lua");
  await editor.until("the server", () => editor.isIdle());
  await editor.goToLine(3);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("=> 2");
}
