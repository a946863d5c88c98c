// Evaluating with the real server: what stands behind the lines, and what goes when.

import * as assert from "node:assert/strict";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import {
  api,
  execute,
  labels,
  openLua,
  running,
  select,
  until,
  untilLabels,
  workspaceFolder,
} from "./helpers";

export function evaluateSuite(): void {
  before(async () => {
    await running();
  });

  it("shows the value of the form under the cursor behind it", async () => {
    const editor = await openLua("-- a comment\nmath.max(3, 7)\n");
    select(editor, 1, 4);
    await execute(COMMANDS.evaluate);
    await untilLabels(editor, ["1: => 7"]);
  });

  it("shows the value of a selection", async () => {
    const editor = await openLua("local x = 6 * 7\n");
    select(editor, 0, 10, 15);
    await execute(COMMANDS.evaluate);
    await untilLabels(editor, ["0: => 42"]);
  });

  it("shows what was printed behind the line that printed it", async () => {
    const editor = await openLua("for i = 1, 2 do\n  print(i)\nend\n");
    await execute(COMMANDS.evaluateFile);
    await untilLabels(editor, ["1: » 1 ⏎ 2", "2: ✓"]);
  });

  it("shows an error that happened elsewhere also where somebody evaluated", async () => {
    const editor = await openLua("function far()\n  error('no luck')\nend\n\nfar()\n");
    await execute(COMMANDS.evaluateFile);
    const name = path.basename(editor.document.uri.fsPath);
    await until("the error of the file", async () => (await labels(editor)).length === 1);
    select(editor, 0);
    await execute(COMMANDS.evaluate);
    select(editor, 4);
    await execute(COMMANDS.evaluate);
    await untilLabels(editor, ["1: ✗ no luck", "2: ✓", `4: ✗ no luck (${name}:2)`]);
    // As soon as the same is evaluated again, both are about something else.
    const back = editor.document.lineAt(4).range;
    await editor.edit((builder) => {
      builder.insert(new vscode.Position(3, 0), "\n");
      builder.replace(back, "far = 1");
    });
    select(editor, 5);
    await execute(COMMANDS.evaluate);
    await untilLabels(editor, ["2: ✓", "5: ✓"]);
  });

  it("shows an error of a module that is not open where it was loaded", async () => {
    const folder = workspaceFolder().fsPath;
    await fs.writeFile(path.join(folder, "broken_module.lua"), "\nerror('no module')\n");
    const editor = await openLua('require("broken_module")\n');
    await execute(COMMANDS.evaluateFile);
    await untilLabels(editor, ["0: ✗ no module (broken_module.lua:2)"]);
  });

  it("shows an error behind its line, with its traceback in the hover", async () => {
    const editor = await openLua("local function f()\n  error('no luck')\nend\nf()\n");
    await execute(COMMANDS.evaluateFile);
    await until("the error", async () => (await labels(editor)).length > 0);
    const { inline } = await api();
    const [item] = inline.labels(editor.document.uri.toString());
    assert.equal(item?.line, 1);
    assert.equal(item?.kind, "error");
    assert.match(item?.label ?? "", /^✗ .*no luck/);
    assert.match(item?.hover ?? "", /Traceback:.*#L2\).*#L4\)/s);
    await until("the diagnostic", () =>
      vscode.languages
        .getDiagnostics(editor.document.uri)
        .some(({ message }) => message.includes("no luck")),
    );
  });

  it("removes a result when its code is edited, and moves it with edits above", async () => {
    const editor = await openLua("math.max(1, 2)\n\nmath.max(3, 4)\n");
    select(editor, 0);
    await execute(COMMANDS.evaluateTopLevelForm);
    select(editor, 2);
    await execute(COMMANDS.evaluateTopLevelForm);
    await untilLabels(editor, ["0: => 2", "2: => 4"]);
    await editor.edit((edit) => edit.insert(new vscode.Position(1, 0), "-- more\n"));
    await untilLabels(editor, ["0: => 2", "3: => 4"]);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 9), "9"));
    await untilLabels(editor, ["3: => 4"]);
  });

  it("replaces a result when the code is evaluated again", async () => {
    const editor = await openLua("select('#', 1)\n");
    select(editor, 0);
    await execute(COMMANDS.evaluate);
    await execute(COMMANDS.evaluate);
    await untilLabels(editor, ["0: => 1"]);
  });

  it("clears results", async () => {
    const editor = await openLua("math.abs(-1)\n");
    select(editor, 0);
    await execute(COMMANDS.evaluate);
    await untilLabels(editor, ["0: => 1"]);
    await execute(COMMANDS.clearResults);
    await untilLabels(editor, []);
  });

  it("moves on to the next form", async () => {
    const editor = await openLua("math.abs(-1)\n\nmath.abs(-2)\n");
    select(editor, 0);
    await execute(COMMANDS.evaluateAndMove);
    assert.equal(editor.selection.active.line, 2);
  });

  it("copies and opens the last result whole", async () => {
    const editor = await openLua("string.rep('ab', 200)\n");
    select(editor, 0);
    await execute(COMMANDS.evaluate);
    await until("a result", async () => (await labels(editor)).length > 0);
    await execute(COMMANDS.copyLastResult);
    assert.equal(await vscode.env.clipboard.readText(), `"${"ab".repeat(200)}"`);
    await execute(COMMANDS.openResult);
    const text = await until("the document", () =>
      vscode.workspace.textDocuments
        .find(({ uri }) => uri.scheme === "lua-persist-text")
        ?.getText(),
    );
    assert.equal(text, `"${"ab".repeat(200)}"`);
  });

  it("evaluates a line, and everything up to the cursor", async () => {
    const editor = await openLua("local a = 1\nmath.max(a, 5)\nmath.max(a, 9)\n");
    select(editor, 1, 14);
    await execute(COMMANDS.evaluateToCursor);
    await untilLabels(editor, ["1: ✓"]);
    await execute(COMMANDS.clearResults);
    select(editor, 2);
    await execute(COMMANDS.evaluateLine);
    await untilLabels(editor, ["2: => 9"]);
  });

  it("writes a result into a comment, and replaces it the next time", async () => {
    const editor = await openLua("math.max(2, 3)\n");
    select(editor, 0);
    await execute(COMMANDS.evaluateToComment);
    const once = await until("the comment", () => {
      const text = editor.document.getText();
      return /--.*3/.test(text) && text;
    });
    await execute(COMMANDS.evaluateToComment);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(editor.document.getText(), once);
  });

  it("evaluates examples in comments, in place", async () => {
    const editor = await openLua("--- >>> 6 * 7\nlocal x = 1\n");
    select(editor, 0);
    await execute(COMMANDS.evaluateExamples);
    await until("the value", () => /42/.test(editor.document.getText()));
  });

  it("interrupts a loop without end", async () => {
    const editor = await openLua("while true do end\n");
    select(editor, 0);
    const done = execute(COMMANDS.evaluate);
    await until("the pending mark", async () =>
      (await labels(editor)).some((label) => label.includes("evaluating")),
    );
    await execute(COMMANDS.interrupt);
    await done;
    await until("the end", async () =>
      (await labels(editor)).some((label) => label.includes("interrupt")),
    );
  });

  it("keeps what is stored over a restart of the server", async () => {
    const editor = await openLua("Memory.kept = (Memory.kept or 0) + 1\nprint(Memory.kept)\n");
    await execute(COMMANDS.evaluateFile);
    await untilLabels(editor, ["1: » 1", "1: ✓"]);
    await execute(COMMANDS.restartServer);
    await execute(COMMANDS.evaluateFile);
    await untilLabels(editor, ["1: » 2", "1: ✓"]);
  });
}
