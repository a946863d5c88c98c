// A workspace of two folders: each has a session of its own, and what is shown and done is of one.

import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import type { Evaluation } from "../../src/protocol";
import { answering } from "./dialogs";
import { api, execute, findNode, nodeTexts, running, until, untilLabels } from "./helpers";

async function open(folder: number, text: string, name = "main.lua"): Promise<vscode.TextEditor> {
  const root = vscode.workspace.workspaceFolders?.[folder]?.uri;
  assert.ok(root);
  const uri = vscode.Uri.file(path.join(root.fsPath, name));
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const document = await vscode.workspace.openTextDocument(uri);
  // What is only previewed goes with the next file, and its results with it.
  return vscode.window.showTextDocument(document, { preview: false });
}

/** What a global is in the session of a folder. */
async function globalOf(folder: number, name: string): Promise<string> {
  const { server } = await api();
  const uri = vscode.workspace.workspaceFolders?.[folder]?.uri.toString() ?? "";
  const { text } = (await server.call("evaluateText", { uri, text: name, name })) as Evaluation;
  return text;
}

export function foldersSuite(): void {
  before(async () => {
    await running();
    for (const [at, name] of ["first", "second"].entries()) {
      const editor = await open(at, `where = "${name}"\next.table("of_${name}").a = 1\n`);
      await execute(COMMANDS.evaluateFile);
      await vscode.window.showTextDocument(editor.document);
    }
  });

  it("shows the session of the folder whose file is edited, and says which it is", async () => {
    const { views } = await api();
    for (const [at, name] of [...["first", "second"].entries()].reverse()) {
      await open(at, "");
      await findNode(views.tables, `of_${name}`);
      assert.deepEqual(await nodeTexts(views.tables), ["Memory: 0 rows", `of_${name}: 1 row`]);
      assert.equal(views.tables.description, name);
      assert.equal(views.history.description, name);
    }
  });

  it("restarts the session of that folder only", async () => {
    await open(1, "");
    await execute(COMMANDS.restartSession);
    await until("a fresh VM", async () => (await globalOf(1, "where")) === "nil");
    assert.equal(await globalOf(0, "where"), '"first"');
  });

  it("takes away the results of the session that is restarted, or undone in", async () => {
    const first = await open(0, "return 1\n", "results.lua");
    await execute(COMMANDS.evaluateFile);
    await untilLabels(first, ["0: => 1"]);
    const second = await open(1, "Memory.n = 1 return 2\n", "results.lua");
    for (const command of [COMMANDS.restartSession, COMMANDS.undo]) {
      await execute(COMMANDS.evaluateFile);
      await untilLabels(second, ["0: => 2"]);
      await execute(command);
      await untilLabels(second, []);
      await untilLabels(first, ["0: => 1"]);
    }
  });

  it("resets the session of that folder only, which the question names", async () => {
    await open(1, "");
    await globalOf(1, "where = 'again'");
    let question = "";
    const showWarningMessage = (asked: string) => {
      question = asked;
      return "Reset";
    };
    await answering({ showWarningMessage }, () => execute(COMMANDS.resetSession));
    assert.match(question, /^Reset the Lua session of second\?/);
    await until("a fresh VM", async () => (await globalOf(1, "where")) === "nil");
    assert.equal(await globalOf(0, "where"), '"first"');
  });

  it("opens a prompt for each of them, which stays with its folder", async () => {
    const { repls } = await api();
    const names = () => vscode.window.terminals.map(({ name }) => name).sort();
    await open(0, "");
    await execute(COMMANDS.openRepl);
    const first = repls.current;
    await open(1, "");
    await execute(COMMANDS.openRepl);
    assert.notEqual(repls.current, first);
    await until("two prompts", () => names().join() === "Lua (first),Lua (second)");
    assert.ok(first);
    first.handleInput("typed_in = where\r");
    await until("the value", async () => (await globalOf(0, "typed_in")) === '"first"');
    for (const terminal of vscode.window.terminals) terminal.dispose();
  });
}
