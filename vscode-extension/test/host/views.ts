// The views with the real server: what the trees show, and what their commands do.

import * as assert from "node:assert/strict";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import type { HistoryNode } from "../../src/views/history";
import { answering } from "./dialogs";
import {
  api,
  evaluated,
  execute,
  findNode,
  nodeTexts,
  openLua,
  until,
  workspaceFolder,
} from "./helpers";

const DATA = `
for i = 1, 250 do
  ext.table("people")[i] = { name = "p" .. i, age = i % 90, tags = { "a", "b" } }
end
ext.index("people", "age")
function Memory.double(x) return 2 * x end
plain_global = { deep = { value = 42 } }
`;

export function viewsSuite(): void {
  before(async () => {
    const editor = await evaluated(DATA);
    await vscode.window.showTextDocument(editor.document);
  });

  it("lists tables with rows and indexes", async () => {
    const { views } = await api();
    await findNode(views.tables, "people");
    assert.ok((await nodeTexts(views.tables)).includes("people: 250 rows · 1 index"));
  });

  it("shows rows level by level, in pages", async () => {
    const { views } = await api();
    const table = await findNode(views.tables, "people");
    const first = await nodeTexts(views.tables, table);
    assert.equal(first[0], "Indexes: 1");
    assert.equal(first.at(-1), "Load more (150 left)");
    await execute(COMMANDS.loadMore, views.tables.id, table);
    assert.equal((await nodeTexts(views.tables, table)).length, 1 + 200 + 1);
    const row = await findNode(views.tables, "3", table);
    assert.deepEqual((await nodeTexts(views.tables, row)).sort(), [
      "age: 3",
      'name: "p3"',
      'tags: {"a", "b"}',
    ]);
    const indexes = await findNode(views.tables, "Indexes", table);
    assert.match((await nodeTexts(views.tables, indexes))[0] ?? "", /^age: /);
  });

  it("goes on behind what the server gives at once", async () => {
    const { views } = await api();
    await openLua('for i = 1, 2500 do ext.table("long")[i] = i end\n');
    await execute(COMMANDS.evaluateFile);
    const table = await findNode(views.tables, "long");
    for (let more = 0; more < 4; more += 1)
      await execute(COMMANDS.loadMore, views.tables.id, table);
    assert.equal((await nodeTexts(views.tables, table)).at(-1), "Load more (900 left)");
    await execute(COMMANDS.loadMore, views.tables.id, table);
    const all = await nodeTexts(views.tables, table);
    assert.deepEqual([all.length, all.at(-1)], [2_500, "2500: 2500"]);
    await execute(COMMANDS.undo);
  });

  it("shows that a table has a schema, and the schema", async () => {
    const { views } = await api();
    await openLua(
      'ext.schema("strict", { fields = { n = "integer" } })\next.table("strict")[1] = { n = 1 }\n',
    );
    await execute(COMMANDS.evaluateFile);
    const table = await findNode(views.tables, "strict");
    assert.match(String(table.item.description), /schema/);
    const schema = await findNode(views.tables, "Schema", table);
    await execute(COMMANDS.showSchema, ...(schema.item.command?.arguments ?? []));
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? "", /The schema of strict/);
    await execute(COMMANDS.undo);
  });

  it("filters what is not shown yet, too", async () => {
    const { views } = await api();
    await openLua("for i = 1, 150 do _G[('wide%03d'):format(i)] = i end\n");
    await execute(COMMANDS.evaluateFile);
    views.globals.setFilter("wide150");
    assert.deepEqual(await nodeTexts(views.globals), ["wide150: 150"]);
    views.globals.setFilter("");
    views.history.setFilter("no such evaluation");
    assert.deepEqual(await nodeTexts(views.history), []);
    views.history.setFilter("");
  });

  it("filters", async () => {
    const { views } = await api();
    views.tables.setFilter("no such table");
    assert.deepEqual(await nodeTexts(views.tables), []);
    views.tables.setFilter("PEOP");
    assert.equal((await nodeTexts(views.tables)).length, 1);
    views.tables.setFilter("");
  });

  it("lists functions, goes to their source, shows and deletes them", async () => {
    const { views } = await api();
    const node = await findNode(views.functions, "Memory.double");
    assert.match(String(node.item.description), /\(x\)/);
    await execute(COMMANDS.goToFunction, node);
    assert.equal(vscode.window.activeTextEditor?.selection.active.line, 5);
    await execute(COMMANDS.showStoredSource, node);
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? "", /return 2 \* x/);
    await execute(COMMANDS.deleteFunction, node);
    await until("its end", async () =>
      (await nodeTexts(views.functions)).every((text) => !text.startsWith("Memory.double")),
    );
    await execute(COMMANDS.undo);
    await findNode(views.functions, "Memory.double");
  });

  it("shows globals level by level", async () => {
    const { views } = await api();
    const global = await findNode(views.globals, "plain_global");
    const deep = await findNode(views.globals, "deep", global);
    assert.deepEqual(await nodeTexts(views.globals, deep), ["value: 42"]);
  });

  it("shows the user's globals first, and what every session has in a group", async () => {
    const { views, server } = await api();
    const texts = await nodeTexts(views.globals);
    assert.match(texts.at(-1) ?? "", /^Libraries: Memory, _G, _VERSION, assert/);
    assert.ok(texts.some((text) => text.startsWith("plain_global: ")));
    assert.ok(texts.every((text) => !/^(string|ext|print): /.test(text)));
    const libraries = await findNode(views.globals, "Libraries");
    const string = await findNode(views.globals, "string", libraries);
    assert.ok((await nodeTexts(views.globals, string)).some((text) => text.startsWith("rep: ")));
    await server.call("evaluateText", { text: "for i = 1, 120 do _G['many' .. i] = i end" });
    const many = await nodeTexts(views.globals);
    assert.match(many.at(-2) ?? "", /^Load more \(\d+ left\)$/);
    assert.equal(many.length, 102);
    assert.match(many.at(-1) ?? "", /^Libraries: /);
    views.globals.setFilter("utf8");
    assert.equal((await nodeTexts(views.globals)).length, 1);
    views.globals.setFilter("");
  });

  it("says so where no global is set", async () => {
    const { views } = await api();
    await execute(COMMANDS.restartSession);
    const texts = await nodeTexts(views.globals);
    assert.equal(texts[0], "No global is set yet: x = 42 sets one");
    assert.match(texts[1] ?? "", /^Libraries: /);
    assert.equal(texts.length, 2);
  });

  it("shows the history, what an evaluation changed, and undoes it", async () => {
    const { views } = await api();
    await openLua('ext.table("people").new = { name = "new" }\n');
    await execute(COMMANDS.evaluateFile);
    const [entry] = await views.history.getChildren();
    assert.equal((entry as HistoryNode | undefined)?.entry.own, true);
    await execute(COMMANDS.showChanges, entry);
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? "", /people\.new/);
    const table = await findNode(views.tables, "people");
    assert.match(String(table.item.description), /^251 rows/);
    await execute(COMMANDS.undoTo, entry);
    await until("the row's end", async () =>
      (await nodeTexts(views.tables)).some((text) => text.startsWith("people: 250 rows")),
    );
  });

  it("copies and sets values whole, of which the tree shows the beginning", async () => {
    const { views } = await api();
    await openLua(
      'ext.table("long").text = ("x"):rep(5000)\next.table("long").deep = {{{{{ n = 1 }}}}}\n' +
        'ext.table("long").run = function() end\n',
    );
    await execute(COMMANDS.evaluateFile);
    const table = await findNode(views.tables, "long");
    const offered = async (name: string) => {
      let value: string | undefined;
      const showInputBox = (options: vscode.InputBoxOptions) => {
        value = options.value;
      };
      const node = await findNode(views.tables, name, table);
      await answering({ showInputBox }, () => execute(COMMANDS.setValue, node));
      await execute(COMMANDS.copyValue, node);
      return [value, await vscode.env.clipboard.readText()];
    };
    const text = "x".repeat(5_000);
    assert.deepEqual(await offered("text"), [`"${text}"`, text]);
    assert.deepEqual(await offered("deep"), ["{{{{{n = 1}}}}}", "{{{{{n = 1}}}}}"]);
    const [source, copied] = await offered("run");
    assert.equal(source, "", "a function is not typed");
    assert.match(copied ?? "", /^<function /);
    await execute(COMMANDS.undo);
  });

  it("deletes a value and copies its path", async () => {
    const { views } = await api();
    const table = await findNode(views.tables, "people");
    const row = await findNode(views.tables, "7", table);
    await execute(COMMANDS.copyPath, row);
    assert.equal(await vscode.env.clipboard.readText(), "people[7]");
    await execute(COMMANDS.deleteValue, row);
    await until("its end", async () =>
      (await nodeTexts(views.tables)).some((text) => text.startsWith("people: 249 rows")),
    );
    await execute(COMMANDS.undo);
  });

  it("shows what a schema would be", async () => {
    const { views } = await api();
    const table = await findNode(views.tables, "people");
    await execute(COMMANDS.showSchema, table);
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? "", /---@class/);
  });

  it("opens the grid", async () => {
    const { views } = await api();
    await execute(COMMANDS.openTable, await findNode(views.tables, "people"));
    await until("the panel", () =>
      vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs)
        .some(({ label, input }) => label === "people" && input instanceof vscode.TabInputWebview),
    );
  });

  it("notices what another process commits", async () => {
    const { views, server } = await api();
    const uri = workspaceFolder().toString();
    const { path: file } = (await server.call("status", { uri })) as { path?: string | null };
    assert.ok(file, "the session has no file");
    assert.ok((await fs.stat(path.dirname(file))).isDirectory());
    await openLua("ext.table('fresh').x = 1\n");
    await execute(COMMANDS.evaluateFile);
    await findNode(views.tables, "fresh");
  });
}
