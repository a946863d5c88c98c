// The commands that ask, tell or show something: dialogs are answered, everything else is real.

import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import type { FunctionNode } from "../../src/views/functions";
import type { Tree } from "../../src/views/tree";
import { answering, choosing, intercepting } from "./dialogs";
import {
  api,
  evaluated,
  execute,
  findNode,
  labels,
  nodeTexts,
  openLua,
  running,
  select,
  until,
  untilLabels,
  workspaceFolder,
} from "./helpers";

const DATA = `
for i = 1, 3 do ext.table("birds")[i] = { name = "b" .. i, age = i } end
function Memory.double(x) return 2 * x end
`;

export function commandsSuite(): void {
  let file: vscode.TextEditor;

  before(async () => {
    file = await evaluated(DATA);
  });

  describe("tables", () => {
    it("exports a table into the file that is named", async () => {
      const target = inWorkspace("birds.csv");
      const node = await table("birds");
      await answering({ showSaveDialog: target }, () => execute(COMMANDS.exportTable, node));
      assert.equal(await textOf(target), "age,name\n1,b1\n2,b2\n3,b3\n");
    });

    it("exports the table that is picked, and nothing where no file is named", async () => {
      const asked = { showQuickPick: choosing("birds"), showSaveDialog: undefined };
      await answering(asked, () => execute(COMMANDS.exportTable));
    });

    it("shows a file before it is imported", async () => {
      const source = inWorkspace("fish.json");
      const rows = JSON.stringify([{ name: "cod" }, { name: "eel" }]);
      await vscode.workspace.fs.writeFile(source, new TextEncoder().encode(rows));
      await answering({ showOpenDialog: undefined }, () => execute(COMMANDS.importTable));
      assert.ok(!tabs().includes("Import fish.json"));
      await answering({ showOpenDialog: [source] }, () => execute(COMMANDS.importTable));
      await until("its page", () => tabs().includes("Import fish.json"));
    });

    it("drops a table, and undo brings it back", async () => {
      const { views } = await api();
      await execute(COMMANDS.dropTable, await table("birds"));
      const birds = async () =>
        (await nodeTexts(views.tables)).some((text) => text.startsWith("birds: 3 rows"));
      await until("its end", async () => !(await birds()));
      await execute(COMMANDS.undo);
      await until("it", birds);
    });

    it("sets a value, and refuses an empty one where it is typed", async () => {
      const { views, server } = await api();
      const row = await findNode(views.tables, "1", await table("birds"));
      const typed = ({ value, validateInput }: vscode.InputBoxOptions) => {
        assert.equal(value, "1");
        assert.match(String(validateInput?.("  ")), /nil deletes it/);
        assert.equal(validateInput?.("42"), undefined);
        return "42";
      };
      const node = await findNode(views.tables, "age", row);
      await answering({ showInputBox: typed }, () => execute(COMMANDS.setValue, node));
      const evaluation = await server.call("evaluateText", { text: 'ext.table("birds")[1].age' });
      assert.equal(evaluation.text, "42");
    });
  });

  describe("functions", () => {
    it("calls a function, and copies what it gives", async () => {
      const node = await aFunction("Memory.double");
      const told = (text: string, button: string) => {
        assert.equal(text, "Memory.double: 42");
        return button;
      };
      await answering({ showInputBox: "21", showInformationMessage: told }, () =>
        execute(COMMANDS.callFunction, node),
      );
      assert.equal(await vscode.env.clipboard.readText(), "42");
    });

    it("calls the function that is picked, and tells its error", async () => {
      let told = "";
      const asked = {
        showQuickPick: choosing("Memory.double"),
        showInputBox: "{}",
        showErrorMessage: (text: string) => {
          told = text;
        },
      };
      await answering(asked, () => execute(COMMANDS.callFunction));
      assert.match(told, /arithmetic on a table/);
    });

    it("takes a function from its edited source", async () => {
      const { views, server } = await api();
      const place = new vscode.Range(2, 0, 3, 0);
      const edited = "function Memory.double(x) return x + x + 0.5 end\n";
      const editor = await vscode.window.showTextDocument(file.document);
      await editor.edit((edit) => edit.replace(place, edited));
      const node = await until("the drift", async () => {
        const found = await aFunction("Memory.double");
        return found.info.drift === "edited" && found;
      });
      await execute(COMMANDS.updateFunction, node);
      const evaluation = await server.call("evaluateText", { text: "Memory.double(1)" });
      assert.equal(evaluation.text, "2.5");
      await until("the end of the drift", async () => {
        views.functions.refresh();
        return (await aFunction("Memory.double")).info.drift === "in_sync";
      });
    });
  });

  describe("views", () => {
    for (const [command, name] of [
      [COMMANDS.filterTables, "tables"],
      [COMMANDS.filterFunctions, "functions"],
      [COMMANDS.filterGlobals, "globals"],
      [COMMANDS.filterHistory, "history"],
    ] as const) {
      it(`filters ${name} by what is typed`, async () => {
        const { views } = await api();
        const all = await nodeTexts(views[name]);
        assert.notEqual(all.length, 0);
        const typed = ({ value }: vscode.InputBoxOptions) => `${value}no such thing`;
        await answering({ showInputBox: typed }, () => execute(command));
        assert.deepEqual(await nodeTexts(views[name]), []);
        await answering({ showInputBox: undefined }, () => execute(command)); // Escape changes nothing.
        assert.equal(views[name].filter, "no such thing");
        await answering({ showInputBox: "" }, () => execute(command));
        assert.deepEqual(await nodeTexts(views[name]), all);
      });
    }

    it("reads all views again", async () => {
      const { views } = await api();
      const trees: Tree[] = [views.tables, views.functions, views.globals, views.history];
      const seen = new Set<string>();
      const listeners = trees.map((tree) => tree.onDidChangeTreeData(() => seen.add(tree.id)));
      await execute(COMMANDS.refreshViews);
      for (const listener of listeners) listener.dispose();
      assert.deepEqual([...seen], [...trees.map(({ id }) => id)]);
    });
  });

  describe("session", () => {
    it("undoes and redoes", async () => {
      const { views } = await api();
      await openLua("ext.table('steps').n = 1\n");
      await execute(COMMANDS.evaluateFile);
      await findNode(views.tables, "steps");
      await execute(COMMANDS.undo);
      assert.ok((await nodeTexts(views.tables)).every((text) => !text.startsWith("steps")));
      await execute(COMMANDS.redo);
      const steps = await findNode(views.tables, "steps");
      assert.deepEqual(await nodeTexts(views.tables, steps), ["n: 1"]);
    });

    it("gives a fresh VM, with what is stored", async () => {
      const { server } = await api();
      const editor = await openLua("math.max(5, 6)\n");
      await server.call("evaluateText", { text: "passing = 1" });
      select(editor, 0);
      await execute(COMMANDS.evaluate);
      await untilLabels(editor, ["0: => 6"]);
      await execute(COMMANDS.restartSession);
      assert.deepEqual(await labels(editor), []);
      const left = await server.call("evaluateText", { text: "passing, Memory.double(2)" });
      assert.equal(left.text, "nil, 4.5");
    });

    it("resets only when that is confirmed", async () => {
      const { server } = await api();
      const passing = async () => (await server.call("evaluateText", { text: "passing" })).text;
      await server.call("evaluateText", { text: "passing = 2" });
      await answering({ showWarningMessage: undefined }, () => execute(COMMANDS.resetSession));
      assert.equal(await passing(), "2");
      const confirmed = (text: string, options: vscode.MessageOptions, button: string) => {
        assert.match(text, /stored tables and functions stay/);
        assert.equal(options.modal, true);
        return button;
      };
      await answering({ showWarningMessage: confirmed }, () => execute(COMMANDS.resetSession));
      assert.equal(await passing(), "nil");
    });

    it("copies the result whose link was clicked", async () => {
      const editor = await openLua("math.max(1, 2)\nmath.max(3, 4)\n");
      const numbers: unknown[] = [];
      for (const line of [0, 1]) {
        select(editor, line);
        await execute(COMMANDS.evaluateLine);
        await until("it", async () => (await labels(editor)).length === line + 1);
      }
      const { inline } = await api();
      for (const { hover } of inline.labels(editor.document.uri.toString())) {
        const argument = /copyResult\?([^ ]+) /.exec(hover)?.[1] ?? "";
        numbers.push(...(JSON.parse(decodeURIComponent(argument)) as unknown[]));
      }
      await execute(COMMANDS.copyResult, numbers[0]);
      assert.equal(await vscode.env.clipboard.readText(), "2");
      await execute(COMMANDS.copyResult, numbers[1]);
      assert.equal(await vscode.env.clipboard.readText(), "4");
    });
  });

  describe("help", () => {
    it("shows what programs print", async () => {
      await openLua("print('printed for the channel')\n");
      await execute(COMMANDS.evaluateFile);
      await execute(COMMANDS.showOutput);
      await untilChannel("printed for the channel");
    });

    it("shows the log", async () => {
      await execute(COMMANDS.showLog);
      await untilChannel("Starting ");
    });

    it("runs what is chosen from the menu, each entry being a command", async () => {
      const known = new Set(await vscode.commands.getCommands(true));
      await openLua("Memory.from_menu = 1\n");
      const chosen = (items: (vscode.QuickPickItem & { command?: string })[]) => {
        const commands = items.flatMap(({ command }) => command ?? []);
        assert.deepEqual(
          commands.filter((command) => !known.has(command)),
          [],
        );
        return items.find(({ label }) => label.endsWith("Evaluate File"));
      };
      await answering({ showQuickPick: chosen }, () => execute(COMMANDS.showMenu));
      const { server } = await api();
      await until("its effect", async () => {
        const { text } = await server.call("evaluateText", { text: "Memory.from_menu" });
        return text === "1";
      });
    });

    it("offers in the menu only what can be done", async () => {
      await execute("workbench.action.closeAllEditors");
      let labels: string[] = [];
      const showQuickPick = (items: vscode.QuickPickItem[]) => {
        labels = items.map(({ label }) => label.replace(/^\S+ /, ""));
        return undefined;
      };
      await answering({ showQuickPick }, () => execute(COMMANDS.showMenu));
      assert.ok(labels.includes("Undo Last Evaluation"));
      assert.ok(!labels.includes("Evaluate File"), "there is none");
      assert.ok(!labels.includes("Interrupt Evaluation"), "nothing runs");
    });

    it("says that there is no Lua file to evaluate", async () => {
      await execute("workbench.action.closeAllEditors");
      let told = "";
      const telling = (text: string) => {
        told = text;
      };
      await answering({ showInformationMessage: telling }, () => execute(COMMANDS.evaluateFile));
      assert.match(told, /open a Lua file/);
    });

    it("opens the walkthrough", async () => {
      await execute(COMMANDS.openWalkthrough);
      await until("its tab", () => tabs().some((label) => /Walkthrough|Welcome/.test(label)));
    });

    it("opens a notebook with a cell to run", async () => {
      await execute(COMMANDS.newNotebook);
      const editor = await until("it", () => vscode.window.activeNotebookEditor);
      assert.equal(editor.notebook.notebookType, "lua-persist-notebook");
      assert.equal(editor.notebook.cellAt(1).document.getText(), 'print("hello")');
    });

    it("reports an issue, with the versions, and without a reporter as a document", async () => {
      const opener = "workbench.action.openIssueReporter";
      const [given] = await intercepting(opener, () => execute(COMMANDS.reportIssue));
      const { extensionId, issueBody } = given as { extensionId: string; issueBody: string };
      assert.equal(extensionId, "lua-ls-persist.lua-persist");
      assert.match(issueBody, /Server: lua-ls-persist \d/);
      const none = new Error("there is no reporter here");
      await intercepting(opener, () => execute(COMMANDS.reportIssue), none);
      assert.equal(vscode.window.activeTextEditor?.document.getText(), issueBody);
    });
  });

  describe("server", () => {
    it("starts anew with the Python that is chosen", async () => {
      const { server } = await api();
      const before = server.processId;
      const chosen = vscode.Uri.file("/nowhere/python3.12");
      const settings = () => vscode.workspace.getConfiguration("luaPersist");
      await answering({ showOpenDialog: undefined }, () => execute(COMMANDS.choosePython));
      assert.equal(settings().get("python.path"), "");
      try {
        await answering({ showOpenDialog: [chosen] }, () => execute(COMMANDS.choosePython));
        assert.equal(settings().get("python.path"), chosen.fsPath);
        await until("its start", () => server.state === "running" && server.processId !== before);
      } finally {
        await settings().update("python.path", undefined, vscode.ConfigurationTarget.Global);
      }
      await until("the way back", () => server.state === "running");
    });

    it("is repaired", async () => {
      const { server } = await running();
      const before = server.processId;
      await execute(COMMANDS.repairServer);
      assert.equal(server.state, "running");
      assert.notEqual(server.processId, before);
    });
  });
}

async function table(name: string) {
  const { views } = await api();
  return findNode(views.tables, name);
}

async function aFunction(name: string): Promise<FunctionNode> {
  const { views } = await api();
  return (await findNode(views.functions, name)) as FunctionNode;
}

function inWorkspace(name: string): vscode.Uri {
  return vscode.Uri.file(path.join(workspaceFolder().fsPath, name));
}

async function textOf(uri: vscode.Uri): Promise<string> {
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
}

function tabs(): string[] {
  return vscode.window.tabGroups.all.flatMap((group) => group.tabs).map(({ label }) => label);
}

/** Waits until a channel that is on the screen has a text. */
async function untilChannel(text: string): Promise<void> {
  await until(`${text} in a channel`, () =>
    vscode.workspace.textDocuments.some(
      (document) => document.uri.scheme === "output" && document.getText().includes(text),
    ),
  );
}
