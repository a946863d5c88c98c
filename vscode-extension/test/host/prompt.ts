// The prompt and notebooks with the real server.

import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import { api, execute, running, until, workspaceFolder } from "./helpers";

export function promptSuite(): void {
  let shown = "";

  before(async () => {
    const { repls } = await running();
    await execute(COMMANDS.openRepl);
    const repl = repls.current;
    assert.ok(repl);
    repl.onDidWrite((text) => {
      shown += text;
    });
    repl.open(undefined);
  });

  beforeEach(() => {
    shown = "";
  });

  async function type(text: string): Promise<void> {
    const { repls } = await api();
    for (const key of text) repls.current?.handleInput(key);
  }

  function untilShown(pattern: RegExp): Promise<string> {
    return until(`${pattern}`, () => pattern.exec(shown)?.[0]).catch((error: Error) => {
      throw new Error(`${error.message} in ${JSON.stringify(shown)}`);
    });
  }

  it("evaluates an expression", async () => {
    await type("6 * 7\r");
    await untilShown(/42/);
  });

  it("goes on with a line that is not complete", async () => {
    await type("for i = 1, 2 do\r");
    await untilShown(/\| /);
    await type("print('n', i) end\r");
    await untilShown(/n\t1\r\nn\t2/);
  });

  it("shows errors with their place, and shares globals with the editor", async () => {
    await type("shared_value = 5\r");
    await untilShown(/5.*\r\n.*> /s);
    await type("error('oops')\r");
    await untilShown(/oops/);
    const { server } = await api();
    const evaluation = await server.call("evaluateText", { text: "shared_value + 1" });
    assert.equal(evaluation.text, "6");
  });

  it("completes from live values", async () => {
    await type("shared_va");
    try {
      // A look at the VM is given up where it would take long: then Tab offers nothing.
      await until("the name", async () => {
        await type("\t");
        return /shared_value/.test(shown);
      });
    } finally {
      await type("\x03");
    }
  });

  it("interrupts a loop", async () => {
    await type("while true do end\r");
    await until("the evaluation", async () => {
      const { statusBar } = await api();
      return statusBar.command === COMMANDS.interrupt;
    });
    await type("\x03");
    await untilShown(/interrupt/);
  });

  it("runs the cells of a notebook", async () => {
    const uri = vscode.Uri.file(path.join(workspaceFolder().fsPath, "story.luanb"));
    const text = [
      "--%% markdown\n-- # Story\n",
      "--%% lua\nprint('hi')\nreturn 1 + 1\n",
      "--%% lua\nreturn { { name = 'Ann' }, { name = 'Bob' } }\n",
      "--%% lua\nerror('no')\n",
    ].join("\n");
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
    const notebook = await vscode.workspace.openNotebookDocument(uri);
    const editor = await vscode.window.showNotebookDocument(notebook);
    assert.equal(notebook.cellCount, 4);
    await vscode.commands.executeCommand("notebook.selectKernel", {
      notebookEditor: editor,
      id: "luaPersist.session",
      extension: "lua-ls-persist.lua-persist",
    });
    await vscode.commands.executeCommand("notebook.execute");
    await until("the last cell", () => notebook.cellAt(3).executionSummary?.success === false);
    const mimes = notebook
      .getCells()
      .map((cell) => cell.outputs.map((output) => output.items.map(({ mime }) => mime).join("+")));
    assert.deepEqual(mimes, [
      [],
      ["application/vnd.code.notebook.stdout", "text/plain"],
      ["text/html+text/plain"],
      ["text/html+text/plain"],
    ]);
    await notebook.save();
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)), text);
  });
}
