// What the suites share: the extension's API, documents, and waiting for things to come true.

import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import type { Api } from "../../src/extension";
import { labelOf, type Node, type Tree } from "../../src/views/tree";

export const EXTENSION_ID = "lua-ls-persist.lua-persist";
/** Where other programs use the machine, too, a start of the server takes many seconds. */
const WAIT_MS_MAX = 30_000;
const POLL_MS = 20;

export async function api(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>(EXTENSION_ID);
  assert.ok(extension, "the extension is not installed");
  return extension.activate();
}

/** The extension with its server running. */
export async function running(): Promise<Api> {
  const it = await api();
  await it.server.start();
  assert.equal(it.server.state, "running", it.server.lastProblem?.message);
  return it;
}

export function workspaceFolder(): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  assert.ok(folder);
  return folder;
}

let files = 0;

/** Opens a new Lua file of the workspace. */
export async function openLua(text: string): Promise<vscode.TextEditor> {
  files += 1;
  const uri = vscode.Uri.file(path.join(workspaceFolder().fsPath, `test-${files}.lua`));
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
}

/** A new Lua file of the workspace, evaluated by the running server. */
export async function evaluated(text: string): Promise<vscode.TextEditor> {
  await running();
  const editor = await openLua(text);
  await execute(COMMANDS.evaluateFile);
  return editor;
}

/** Waits until a question has an answer. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Thenable<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export function select(editor: vscode.TextEditor, line: number, from = 0, to = from): void {
  editor.selection = new vscode.Selection(line, from, line, to);
}

/** What stands behind the lines of a document. */
export async function labels(editor: vscode.TextEditor): Promise<string[]> {
  const { inline } = await api();
  return inline
    .labels(editor.document.uri.toString())
    .map(({ line, label }) => `${line}: ${label}`);
}

/** Waits until the labels of a document are these. */
export async function untilLabels(editor: vscode.TextEditor, wanted: string[]): Promise<void> {
  let seen: string[] = [];
  try {
    await until("labels", async () => {
      seen = await labels(editor);
      return JSON.stringify(seen) === JSON.stringify(wanted);
    });
  } catch {
    assert.deepEqual(seen, wanted);
  }
}

export async function execute<T>(command: string, ...args: unknown[]): Promise<T> {
  return vscode.commands.executeCommand<T>(command, ...args);
}

/** What a view shows below a node, or at its top. */
export async function nodeTexts(tree: Tree, node?: Node): Promise<string[]> {
  const nodes = await tree.getChildren(node);
  return nodes.map(({ item }) =>
    item.description ? `${labelOf(item)}: ${item.description}` : labelOf(item),
  );
}

export async function findNode(tree: Tree, label: string, parent?: Node): Promise<Node> {
  return until(`a node ${label}`, async () =>
    (await tree.getChildren(parent)).find(({ item }) => labelOf(item) === label),
  );
}
