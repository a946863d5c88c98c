// What is there when the editor was started by hand, on the examples.

import type { Editor } from "./editor";

const INSTALL_MS_MAX = 120_000;

/** The sample is open; the server is set up, and evaluates. */
export async function examples(editor: Editor): Promise<void> {
  await editor.page.waitForSelector('.tab.active[data-resource-name="welcome.lua"]');
  await editor.until("the server", () => editor.isIdle(), INSTALL_MS_MAX);
  await editor.openFile("closures.lua");
  await editor.run("Lua Persist: Evaluate File");
  await editor.untilBehind(/^(=>|✓)/);
  await editor.shot("examples");
}
