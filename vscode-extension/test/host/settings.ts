// Every setting, by what it changes: at once where that is possible, else when the session is
// restarted. What a setting was before comes back after each test.

import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import type { Evaluation } from "../../src/protocol";
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

const DATA = `
for i = 1, 2 do ext.table("pets")[i] = { name = "p" .. i, age = i } end
function one_argument(a) return a end
`;

export function settingsSuite(): void {
  before(async () => {
    await running();
    await evaluate(DATA);
  });

  describe("at once", () => {
    it("timeLimitSeconds", async () => {
      await withSetting("timeLimitSeconds", 0.05, () =>
        until("the limit", async () => {
          const { problems } = await evaluate("for i = 1, 1e8 do end");
          return problems[0]?.kind === "timeout";
        }),
      );
    });

    it("trusted", async () => {
      await withSetting("trusted", false, () =>
        until("the refusal", () => evaluate("1").then(() => false, isForWantOfTrust)),
      );
      await until("the way back", () =>
        evaluate("1").then(
          ({ ok }) => ok,
          () => false,
        ),
      );
    });

    it("evaluateOnSave", async () => {
      const editor = await openLua("math.max(1, 2)\n");
      await withSetting("evaluateOnSave", "file", () =>
        until("a result", async () => {
          await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), "\n"));
          await editor.document.save();
          return (await labels(editor)).length > 0;
        }),
      );
    });

    it("reloadModules", async () => {
      const module = vscode.Uri.file(path.join(workspaceFolder().fsPath, "changing.lua"));
      const write = async (text: string) => {
        await vscode.workspace.fs.writeFile(module, new TextEncoder().encode(text));
        const document = await vscode.workspace.openTextDocument(module);
        await vscode.window.showTextDocument(document);
      };
      await write("return { f = function() return 1 end }\n");
      await evaluate("held = require('changing')");
      await withSetting("reloadModules", "inPlace", async () => {
        let number = 1;
        await until("the new function", async () => {
          number += 1;
          const editor = await vscode.window.showTextDocument(module);
          const line = editor.document.lineAt(0).range;
          const text = `return { f = function() return ${number} end }`;
          await editor.edit((edit) => edit.replace(line, text));
          await editor.document.save();
          return (await evaluate("held.f()")).text === String(number);
        });
      });
    });

    it("keepLocals", async () => {
      const editor = await openLua("local kept = 5\nmath.max(kept or 0, 1)\n");
      await withSetting("keepLocals", false, () =>
        until("their end", async () => {
          await execute(COMMANDS.evaluateFile);
          select(editor, 1);
          await execute(COMMANDS.evaluateLine);
          return (await labels(editor)).includes("1: => 1");
        }),
      );
    });

    it("completion", async () => {
      const offered = await completions("math.", 5);
      assert.ok(offered.includes("max"));
      await withSetting("completion", "off", () =>
        until("none", async () => !(await completions("math.", 5)).includes("max")),
      );
    });

    it("besideLuaServer", async () => {
      const editor = await openLua("print(wholly_unknown)\n");
      await untilDiagnosed(editor, /wholly_unknown/);
      await withSetting("besideLuaServer", "yes", () => untilDiagnosed(editor, undefined));
    });

    it("formatter", async () => {
      const editor = await openLua("x=1\n");
      const command = ["/bin/sh", "-c", "cat >/dev/null; echo x = 1"];
      await withSetting("formatter", command, () =>
        until("its edits", async () => {
          const edits = await execute<vscode.TextEdit[] | undefined>(
            "vscode.executeFormatDocumentProvider",
            editor.document.uri,
            { tabSize: 2, insertSpaces: true },
          );
          return (edits?.length ?? 0) > 0;
        }),
      );
    });

    it("dataLenses", async () => {
      const editor = await openLua('local pets = ext.table("pets")\n');
      const rows = async () => (await lenses(editor)).some((title) => /2 rows/.test(title));
      await until("the lens", rows);
      await withSetting("dataLenses", false, () => until("its end", async () => !(await rows())));
    });

    for (const [name, text, message] of [
      ["checks.undefinedGlobals", "print(nowhere_defined)\n", /nowhere_defined/],
      ["checks.misspeltFields", 'print(ext.table("pets")[1].naem)\n', /did you mean 'name'/],
      ["checks.tooManyArguments", "one_argument(1, 2)\n", /takes 1 argument/],
    ] as const) {
      it(name, async () => {
        const editor = await openLua(text);
        await untilDiagnosed(editor, message);
        await withSetting(name, "off", () => untilDiagnosed(editor, undefined));
      });
    }
  });

  describe("behind the code, at once", () => {
    it("results.inline", async () => {
      const editor = await openLua("math.max(4, 8)\n");
      await execute(COMMANDS.evaluateLine);
      await untilLabels(editor, ["0: => 8"]);
      assert.deepEqual(await hints(editor), []);
      await withSetting("results.inline", "hints", async () => {
        await untilHint(editor, /=> 8/, COMMANDS.evaluateLine);
        await untilLabels(editor, []);
      });
    });

    it("results.errors", async () => {
      const editor = await openLua("error('no luck')\n");
      await withSetting("results.errors", false, async () => {
        await execute(COMMANDS.evaluateFile);
        await untilDiagnosed(editor, /no luck/);
        await untilLabels(editor, []);
      });
    });

    it("results.flash", async () => {
      const { inline } = await api();
      await openLua("math.max(1, 1)\n");
      const flashes = async () => {
        let seen = 0;
        const listener = inline.onFlash(() => {
          seen += 1;
        });
        await execute(COMMANDS.evaluateFile);
        await until("the result", () => inline.labels(uriOfActive()).length > 0);
        listener.dispose();
        return seen;
      };
      assert.equal(await flashes(), 1);
      await withSetting("results.flash", false, async () => assert.equal(await flashes(), 0));
    });

    it("hints.results, hints.output, hints.locals", async () => {
      const editor = await openLua("local apples = 12\nprint(apples, 'of them')\nmath.max(5, 7)\n");
      select(editor, 2);
      await withSetting("results.inline", "hints", async () => {
        await untilHint(editor, /12/, COMMANDS.evaluateFile);
        await untilHint(editor, /of them/, COMMANDS.evaluateFile);
        await untilHint(editor, /=> 7/, COMMANDS.evaluateLine);
        await withSetting("hints.results", false, () => untilNoHint(editor, /=> 7/));
        await withSetting("hints.locals", false, () => untilNoHint(editor, /= 12|: 12|12$/));
        await execute(COMMANDS.evaluateFile);
        await withSetting("hints.output", false, () => untilNoHint(editor, /of them/));
      });
    });

    it("codeLens.enabled", async () => {
      const editor = await openLua("math.max(4, 8)\n");
      await until("a lens", async () => (await lenses(editor)).length > 0);
      await withSetting("codeLens.enabled", false, () =>
        until("their end", async () => (await lenses(editor)).length === 0),
      );
    });
  });

  describe("when the session is restarted", () => {
    it("memoryLimitBytes", async () => {
      await inNewSession("memoryLimitBytes", 2 * 1024 * 1024, async () => {
        const { problems } = await evaluate("return #string.rep('x', 4000000)");
        return /not enough memory/.test(problems[0]?.message ?? "");
      });
    });

    it("outputLimitBytes", async () => {
      await inNewSession("outputLimitBytes", 100, async () => {
        const { output } = await evaluate("for i = 1, 100 do print('0123456789') end");
        const printed = output.filter(({ stream }) => stream === "stdout");
        return printed.map(({ text }) => text).join("").length < 300;
      });
    });

    it("keepErrorEffects", async () => {
      await inNewSession("keepErrorEffects", true, async () => {
        await evaluate("half_done = 1 error('no')");
        return (await evaluate("half_done")).text === "1";
      });
    });

    it("databasePath", async () => {
      await inNewSession("databasePath", ".lua-persist/other.db", async () => {
        const { server } = await api();
        const isEmpty = (await evaluate("next(ext.table('pets'))")).text === "nil";
        const { path: file } = (await server.call("status", {})) as { path?: string | null };
        return isEmpty && /other\.db$/.test(file ?? "");
      });
    });

    it("historyLimitEvaluations", async () => {
      await inNewSession("historyLimitEvaluations", 2, async () => {
        for (let n = 0; n < 4; n += 1) await evaluate(`Memory.counted = ${n}`);
        return (await history()).length === 2;
      });
    });

    it("historyLimitBytes", async () => {
      await inNewSession("historyLimitBytes", 20_000, async () => {
        for (let n = 0; n < 8; n += 1) await evaluate(`Memory.long = ('${n}'):rep(9000)`);
        return (await history()).length < 8;
      });
    });

    it("undoMemoryLimitBytes", async () => {
      await inNewSession("undoMemoryLimitBytes", 0, async () => {
        await evaluate("a_global = 1");
        await evaluate("Memory.undone = (Memory.undone or 0) + 1");
        await execute(COMMANDS.undo);
        return (await evaluate("a_global")).text === "nil";
      });
    });
  });
}

async function withSetting<T>(name: string, value: unknown, act: () => Thenable<T>): Promise<void> {
  const settings = vscode.workspace.getConfiguration("luaPersist", workspaceFolder());
  await settings.update(name, value, vscode.ConfigurationTarget.Workspace);
  try {
    await act();
  } finally {
    await settings.update(name, undefined, vscode.ConfigurationTarget.Workspace);
  }
}

/**
 * Something holds in a session that was opened with a setting, and not in the one before and after.
 * When the server knows of the change it does not tell: the session is restarted until it holds.
 */
async function inNewSession(
  name: string,
  value: unknown,
  holds: () => Promise<boolean>,
): Promise<void> {
  assert.equal(await holds(), false, "it holds without the setting");
  await withSetting(name, value, () => untilRestarted(holds));
  await untilRestarted(async () => !(await holds()));
}

async function untilRestarted(holds: () => Promise<boolean>): Promise<void> {
  await until("it", async () => {
    await execute(COMMANDS.restartSession);
    return holds();
  });
}

async function evaluate(text: string): Promise<Evaluation> {
  const { server } = await api();
  return server.call("evaluateText", { text });
}

function isForWantOfTrust(error: unknown): boolean {
  assert.match(String(error), /not trusted/);
  return true;
}

async function history() {
  const { server } = await api();
  const { evaluations } = await server.call("history", { limit: 50 });
  return evaluations.filter(({ own, undone }) => own && !undone);
}

async function completions(text: string, character: number): Promise<string[]> {
  const editor = await openLua(`${text}\n`);
  const list = await execute<vscode.CompletionList>(
    "vscode.executeCompletionItemProvider",
    editor.document.uri,
    new vscode.Position(0, character),
  );
  // The editor itself offers the words of other documents.
  return list.items
    .filter(({ kind }) => kind !== vscode.CompletionItemKind.Text)
    .map(({ label }) => (typeof label === "string" ? label : label.label));
}

async function lenses(editor: vscode.TextEditor): Promise<string[]> {
  const found = await execute<vscode.CodeLens[]>(
    "vscode.executeCodeLensProvider",
    editor.document.uri,
    100,
  );
  return found.map(({ command }) => command?.title ?? "");
}

async function hints(editor: vscode.TextEditor): Promise<string[]> {
  const found = await execute<vscode.InlayHint[]>(
    "vscode.executeInlayHintProvider",
    editor.document.uri,
    new vscode.Range(0, 0, editor.document.lineCount, 0),
  );
  return found.map(({ label }) =>
    typeof label === "string" ? label : label.map(({ value }) => value).join(""),
  );
}

async function untilHint(editor: vscode.TextEditor, text: RegExp, command: string): Promise<void> {
  await until(`a hint ${text}`, async () => {
    await execute(command);
    return (await hints(editor)).some((hint) => text.test(hint));
  });
}

async function untilNoHint(editor: vscode.TextEditor, text: RegExp): Promise<void> {
  await until(
    `no hint ${text}`,
    async () => !(await hints(editor)).some((hint) => text.test(hint)),
  );
}

/** Waits until a document has such a diagnostic, or none. */
async function untilDiagnosed(editor: vscode.TextEditor, text: RegExp | undefined): Promise<void> {
  await until(`${text} as a diagnostic`, () => {
    const found = vscode.languages.getDiagnostics(editor.document.uri);
    return text === undefined
      ? found.length === 0
      : found.some(({ message }) => text.test(message));
  });
}

function uriOfActive(): string {
  return vscode.window.activeTextEditor?.document.uri.toString() ?? "";
}
