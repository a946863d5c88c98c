// The first minutes of somebody who has just installed the extension.

import * as assert from "node:assert/strict";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import type { Locator } from "playwright-core";
import type { Editor } from "./editor";

const SAMPLE = "welcome.lua";
/** What a key does is written in the status bar within this time, or not at all. */
const KEY_MS_MAX = 3_000;

/** Every step of the walkthrough by its button, each done when the next one comes. */
export async function walkthrough(editor: Editor): Promise<void> {
  const { page } = editor;
  await page.waitForSelector('.activitybar a[aria-label^="Lua Persist"]');
  await openStep(editor, "sample");
  await editor.shot("walkthrough-sample");
  await pressInStep(editor, "sample", "Open Sample File");
  await untilSample(editor);

  // What stands beside a step is shown where there is room for it.
  await page.keyboard.press("Control+b");
  await openStep(editor, "evaluate");
  await editor.until("the keys beside the step", async () => {
    for (const frame of page.frames()) {
      if ((await frame.getByText("the selection, or the form").count()) > 0) return true;
    }
    return false;
  });
  await editor.still("walkthrough");
  await page.keyboard.press("Control+b");
  await pressInStep(editor, "evaluate", "Back to the Sample");
  await untilSample(editor);
  await tourOfSample(editor);

  await openStep(editor, "data");
  await editor.shot("walkthrough-data");
  await pressInStep(editor, "data", "Open Table…");
  await page.locator(".quick-input-widget .monaco-list-row", { hasText: "users" }).first().click();
  await editor.grid("users");
  await editor.shot("sample-grid");

  await openStep(editor, "repl");
  await editor.shot("walkthrough-repl");
  await pressInStep(editor, "repl", "Open REPL");
  await page.locator(".terminal-wrapper.active .xterm-screen").waitFor();
  await editor.shot("sample-repl");
  await page.keyboard.press("Control+j");

  await openStep(editor, "undo");
  await editor.shot("walkthrough-undo");
  await pressInStep(editor, "undo", "Undo Last Evaluation");
  for (const name of ["sample", "evaluate", "data", "repl", "undo"]) {
    await checkmark(editor, name).waitFor();
  }
  await editor.shot("walkthrough-done");
}

/** One setting takes all keys away, and gives them back, at once. */
export async function keys(editor: Editor): Promise<void> {
  const settings = path.join(editor.place("workspace"), ".vscode/settings.json");
  const { page } = editor;
  await editor.run("Lua Persist: Open Sample File");
  await untilSample(editor);
  await editor.goToLine(1);
  await fs.mkdir(path.dirname(settings), { recursive: true });
  await fs.writeFile(settings, '{ "luaPersist.keybindings.enabled": false }');
  await editor.until("the editor's own meaning of the key", () => newLineByKey(editor));
  await editor.run("Lua Persist: Clear Inline Results");
  await editor.until("no results", async () => (await editor.behind()).length === 0);
  await editor.until("a new line", () => newLineByKey(editor));
  assert.deepEqual(await editor.behind(), []);
  await fs.rm(settings);
  await editor.until("a result", async () => {
    await editor.goToLine(1);
    await page.keyboard.press("Alt+Enter");
    return (await editor.behind()).length > 0;
  });
}

/** Whether Ctrl+Enter makes a new line, as it does without us. */
async function newLineByKey(editor: Editor): Promise<boolean> {
  const position = editor.page.locator('[id="status.editor.selection"]');
  const before = (await position.textContent()) ?? "";
  await editor.page.keyboard.press("Control+Enter");
  // It is written when the editor has time.
  const moved = position.filter({ hasNotText: before }).waitFor({ timeout: KEY_MS_MAX });
  return moved.then(
    () => true,
    () => false,
  );
}

/** What the sample says by its numbers, with the keys that it names. */
async function tourOfSample(editor: Editor): Promise<void> {
  const { page } = editor;
  const file = path.join(editor.place("workspace"), SAMPLE);
  const lines = (await fs.readFile(file, "utf8")).split("\n");
  const lineOf = (text: string) => {
    const at = lines.findIndex((line) => line.startsWith(text));
    assert.ok(at >= 0, `the sample has no line ${text}`);
    return at + 1;
  };
  const evaluate = async (text: string, wanted: string | RegExp) => {
    await editor.goToLine(lineOf(text));
    await page.keyboard.press("Control+Enter");
    await editor.untilBehind(wanted);
  };
  await editor.goToLine(lineOf("-- 1."));
  await page.keyboard.press("Shift+Enter");
  await editor.untilBehind('=> "6 words"');
  await page.keyboard.press("Shift+Enter");
  await editor.untilBehind("» round 1 ⏎ round 2 ⏎ round 3");
  // The loop's mark is there before that of the function.
  const marked = (count: number) =>
    editor.until(`${count} marks`, async () => {
      const marks = (await editor.behind()).filter((text) => text === "✓");
      return marks.length === count;
    });
  await marked(1);
  await editor.goToLine(lineOf("do"));
  await page.keyboard.press("Control+Enter");
  await marked(2);
  await evaluate("Memory.count_up()", "=> 1");
  await evaluate("Memory.count_up()", "=> 2");
  await evaluate("for i, name", "✓");
  await evaluate("ext.count", "=> 3");
  await evaluate("for _, row", /^» bob\s+34 ⏎ cleo\s+41 ⏎ dan\s+48/);
  await editor.shot("sample");
  await evaluate('  ext.table("users").ann = nil', /^✗ /);
  await editor.shot("sample-error");
  await evaluate("ext.count", "=> 3");
  await editor.goToLine(lineOf("while true"));
  await page.keyboard.press("Control+Enter");
  await editor.until("the evaluation", async () =>
    (await editor.status()).includes("codicon-sync"),
  );
  await editor.shot("sample-loop");
  await editor.clickStatus();
  await editor.untilBehind(/^✗ .*interrupt/);
}

async function untilSample({ page }: Editor): Promise<void> {
  await page.waitForSelector(`.tab.active[data-resource-name="${SAMPLE}"]`);
  await page.waitForSelector(".editor-instance .view-line");
}

async function openStep(editor: Editor, name: string): Promise<void> {
  await editor.run("Lua Persist: Open Walkthrough");
  const step = stepOf(editor, name);
  await step.waitFor();
  if ((await step.getAttribute("aria-expanded")) !== "true") await step.click();
  await editor.page.waitForTimeout(500); // The picture beside it is drawn.
}

function stepOf(editor: Editor, name: string): Locator {
  return editor.page.locator(`.getting-started-step[data-step-id$="#${name}"]:visible`);
}

function checkmark(editor: Editor, name: string): Locator {
  return stepOf(editor, name).locator(".codicon-getting-started-step-checked").first();
}

async function pressInStep(editor: Editor, name: string, title: string): Promise<void> {
  await stepOf(editor, name).locator(".monaco-button", { hasText: title }).first().click();
}

/** Opens a file, evaluates, stores: how long that takes from the first look at the window. */
export async function newcomer(editor: Editor, measured: Record<string, number>): Promise<void> {
  const started = Date.now();
  await editor.openFile("first.lua");
  await editor.until("the set-up", async () => (await editor.status()).includes("setting up"));
  await editor.page
    .locator(".notification-list-item", { hasText: "setting up the Lua server" })
    .waitFor();
  await editor.shot("set-up");
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
