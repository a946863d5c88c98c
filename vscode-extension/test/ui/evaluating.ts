// Code that is evaluated: in files, at the prompt, in notebooks. Every story leaves screenshots.

import * as assert from "node:assert/strict";
import type { Editor } from "./editor";

/** A value behind its line, its hover; how long the key press takes to show. */
export async function evaluate(editor: Editor, measured: Record<string, number>): Promise<void> {
  await editor.openFile("tour.lua");
  await editor.goToLine(2);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("=> 42");
  await editor.goToLine(3);
  const started = Date.now();
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("=> 2");
  measured.inline_result_ms = Date.now() - started;
  await editor.goToLine(5);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind(/^» round 1/);
  await editor.goToLine(10);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("✓");
  await editor.goToLine(11);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind(/^=> \{/);
  const text = await editor.hover("inventory()");
  assert.match(text, /Copy/);
  assert.match(text, /Undo/);
  await editor.still("inline-results");
  await editor.page.keyboard.press("Escape");
}

/** A squiggle with a traceback, and the error behind its line. */
export async function errors(editor: Editor): Promise<void> {
  await editor.openFile("oops.lua");
  await editor.run("Lua Persist: Evaluate File");
  await editor.untilBehind(/^✗ /);
  await editor.page.waitForSelector(".squiggly-error");
  const text = await editor.hover("order.price");
  assert.match(text, /Traceback/);
  await editor.still("error");
  await editor.page.keyboard.press("Escape");
}

/** The prompt in a terminal. */
export async function repl(editor: Editor): Promise<void> {
  await editor.run("Lua Persist: Open REPL");
  await editor.page.locator(".terminal-wrapper.active .xterm-screen").click();
  const lines = [
    'Memory.greet("you")',
    "for i = 1, 3 do",
    "print(i, i * i) end",
    'ext.count("people", { where = { "age", ">", 30 } })',
    "nothing.there",
  ];
  for (const line of lines) {
    await editor.page.keyboard.type(line);
    await editor.page.keyboard.press("Enter");
    await editor.page.waitForTimeout(400);
  }
  await editor.shot("repl");
  await editor.page.keyboard.press("Control+j");
}

/** A notebook with text, a grid and an error. */
export async function notebook(editor: Editor): Promise<void> {
  await editor.openNotebook("story.luanb");
  await editor.page.getByRole("button", { name: "Run All" }).first().click();
  await editor.until("the grid of rows", async () => {
    for (const frame of editor.page.frames()) {
      if ((await frame.$(".lua-grid").catch(() => null)) !== null) return true;
    }
    return false;
  });
  // The last cell fails, and is out of sight: the toolbar offers to go there.
  await editor.page.getByRole("button", { name: "Go To" }).first().waitFor();
  await editor.shot("notebook");
}
