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
  await editor.goToLine(9);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("✓");
  await editor.goToLine(14);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind(/^=> \{/);
  await editor.hover(14, /Copy.*Undo/s);
  await editor.still("inline-results");
  await editor.page.keyboard.press("Escape");
}

/** A squiggle with a traceback, and the error behind its line. */
export async function errors(editor: Editor): Promise<void> {
  await editor.openFile("oops.lua");
  await editor.run("Lua Persist: Evaluate File");
  await editor.untilBehind(/^✗ /);
  await editor.page.waitForSelector(".squiggly-error");
  const text = await editor.hover(5, /Traceback.*Copy/s);
  assert.doesNotMatch(text, /Undo/);
  await editor.still("error");
  await editor.page.keyboard.press("Escape");
}

/** A loop without end: the status bar tells how long it runs, and a click there ends it. */
export async function interrupting(editor: Editor): Promise<void> {
  await editor.openFile("loop.lua");
  await editor.run("Lua Persist: Evaluate File");
  await editor.until("the seconds", async () =>
    /codicon-sync.* Lua [1-9]\d*\.\d s/.test(await editor.status()),
  );
  await editor.untilBehind("… evaluating");
  await editor.shot("interrupt-running");
  await editor.clickStatus();
  await editor.untilBehind(/^✗ .*interrupt/);
  // What it had printed until then is kept.
  await editor.untilBehind(/^» step 1/);
  await editor.until("the session", () => editor.isIdle());
  // Whoever wanted it has made no error.
  await editor.page.waitForSelector(".squiggly-info");
  await editor.hover(2, /interrupted.*step 3.*Traceback/s);
  await editor.still("interrupted");
  await editor.page.keyboard.press("Escape");
  // Nothing of it is kept, and the session goes on.
  await editor.goToLine(3);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("✓");
  await editor.run("Lua Persist: Undo Last Evaluation");
}

/** The prompt in a terminal. */
export async function repl(editor: Editor): Promise<void> {
  await editor.run("Lua Persist: Open REPL");
  await editor.page.locator(".terminal-wrapper.active .xterm-screen").click();
  const lines: [string, RegExp][] = [
    ['Memory.greet("you")', /^(=> )?"Hello, you"$/m],
    ["for i = 1, 3 do", /^\| *$/m],
    ["print(i, i * i) end", /^3\s+9$/m],
    ['ext.count("people", { where = { "age", ">", 30 } })', /^(=> )?[\d,]{5,}$/m],
    ["nothing.there", /attempt to index a nil value/],
  ];
  await editor.until("the prompt", async () => /^>$/m.test(await terminal(editor)));
  for (const [line, answer] of lines) {
    await editor.page.keyboard.type(line);
    await editor.page.keyboard.press("Enter");
    await editor.until(`${answer} in the terminal`, async () =>
      answer.test(await terminal(editor)),
    );
  }
  await editor.shot("repl");
  await editor.page.keyboard.press("Control+j");
}

/** What stands in the terminal, line by line. */
async function terminal(editor: Editor): Promise<string> {
  const rows = editor.page.locator(".terminal-wrapper.active .xterm-rows > div");
  const texts = await rows.allTextContents();
  return texts.map((text) => text.replaceAll("\u00a0", " ").trimEnd()).join("\n");
}

/** A notebook with text, a grid and an error. */
export async function notebook(editor: Editor): Promise<void> {
  await editor.openNotebook("story.luanb");
  await editor.page.getByRole("button", { name: "Run All" }).first().click();
  await editor.away();
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
