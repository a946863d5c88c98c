// The view container "Lua Persist": four trees, their commands, and when they are read again.

import * as vscode from "vscode";
import type { CommandName, Handlers } from "../commands";
import { tellFailure } from "../failures";
import { currentFolder, nameOf, onFolderChanged } from "../folder";
import { exportText } from "../grid/messages";
import { exportTable, showStoredSource, type TablePanels } from "../grid/panel";
import type { ImportPanels } from "../importing/panel";
import { Lifetime } from "../lifetime";
import type { Difference, WholeValue } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import type { Texts } from "../texts";
import { FunctionNode, functionsPage } from "./functions";
import { globalsPage } from "./globals";
import { type HistoryNode, historyPage } from "./history";
import { createIndex } from "./indexing";
import { type IndexNode, TableNode, tablesPage } from "./tables";
import { type Node, Tree } from "./tree";
import { ValueNode } from "./values";

const RUNS_CONTEXT = "luaPersist.serverRuns";

export type ViewCommand = Extract<
  CommandName,
  | "refreshViews"
  | "loadMore"
  | "filterTables"
  | "filterFunctions"
  | "filterGlobals"
  | "filterHistory"
  | "openTable"
  | "exportTable"
  | "importTable"
  | "createIndex"
  | "dropTable"
  | "dropIndex"
  | "showSchema"
  | "setValue"
  | "deleteValue"
  | "copyValue"
  | "copyPath"
  | "goToFunction"
  | "showStoredSource"
  | "callFunction"
  | "updateFunction"
  | "deleteFunction"
  | "showChanges"
  | "undoTo"
>;

export class Views implements vscode.Disposable {
  private readonly lifetime = new Lifetime();
  readonly tables: Tree;
  readonly functions: Tree;
  readonly globals: Tree;
  readonly history: Tree;
  private readonly all: Map<string, Tree>;

  constructor(
    private readonly server: LuaServer,
    private readonly panels: TablePanels,
    private readonly imports: ImportPanels,
    private readonly texts: Texts,
  ) {
    this.tables = this.lifetime.own(new Tree("luaPersist.tables", () => tablesPage(server)));
    this.functions = this.lifetime.own(
      new Tree("luaPersist.functions", (limit) => functionsPage(server, limit)),
    );
    this.globals = this.lifetime.own(
      new Tree("luaPersist.globals", (limit) => globalsPage(server, limit)),
    );
    this.history = this.lifetime.own(
      new Tree("luaPersist.history", (limit) => historyPage(server, limit)),
    );
    const trees = [this.tables, this.functions, this.globals, this.history];
    this.all = new Map(trees.map((tree) => [tree.id, tree]));
    this.lifetime.own(
      server.onChanged((change) => {
        if (change.tables === null || change.tables.length > 0) this.tables.refresh();
        if (change.functions) this.functions.refresh();
        if (change.globals) this.globals.refresh();
        if (change.history) this.history.refresh();
      }),
    );
    this.lifetime.own(server.onEvaluation(() => this.globals.refresh()));
    this.lifetime.own(onFolderChanged(() => this.turn()));
    this.describe();
    this.lifetime.own(
      server.onState((state) => {
        // Until then nobody knows whether anything is stored.
        void vscode.commands.executeCommand("setContext", RUNS_CONTEXT, state === "running");
        if (state === "running") this.refresh();
      }),
    );
  }

  handlers(): Handlers<ViewCommand> {
    return {
      refreshViews: () => this.refresh(),
      loadMore: (id: string, parent?: Node) => this.all.get(id)?.loadMore(parent),
      filterTables: () => this.filter(this.tables),
      filterFunctions: () => this.filter(this.functions),
      filterGlobals: () => this.filter(this.globals),
      filterHistory: () => this.filter(this.history),
      openTable: (node?: TableNode | ValueNode) => this.openTable(node),
      exportTable: (node?: TableNode) => this.try(() => this.export(node)),
      importTable: (node?: TableNode) => this.try(() => this.import(node)),
      createIndex: (node?: TableNode) => this.try(() => this.createIndex(node)),
      dropTable: (node: TableNode) => this.try(() => this.dropTable(node)),
      dropIndex: (node: IndexNode) => this.try(() => this.dropIndex(node)),
      showSchema: (node?: TableNode) => this.try(() => this.showSchema(node)),
      setValue: (node: ValueNode) => this.setValue(node),
      deleteValue: (node: ValueNode) => this.try(() => this.deleteValue(node)),
      copyValue: (node: ValueNode) => this.try(() => this.copyValue(node)),
      copyPath: (node: TableNode | ValueNode | FunctionNode) => this.copyPath(node),
      goToFunction: (node: FunctionNode) => this.try(() => this.goToFunction(node)),
      showStoredSource: (node: FunctionNode) => this.try(() => this.showStoredSource(node)),
      callFunction: (node?: FunctionNode) => this.try(() => this.callFunction(node)),
      updateFunction: (node: FunctionNode) => this.try(() => this.updateFunction(node)),
      deleteFunction: (node: FunctionNode) => this.try(() => this.deleteFunction(node)),
      showChanges: (node: HistoryNode) => this.try(() => this.showChanges(node)),
      undoTo: (node: HistoryNode) => this.try(() => this.undoTo(node)),
    };
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** To another folder's session. */
  private turn(): void {
    this.describe();
    if (this.server.state === "running") this.refresh();
  }

  private describe(): void {
    for (const tree of this.all.values()) tree.describe(nameOf(currentFolder()) ?? "");
  }

  private refresh(): void {
    for (const tree of this.all.values()) tree.refresh();
  }

  private async try(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      tellFailure(error);
    }
  }

  private async filter(tree: Tree): Promise<void> {
    const text = await vscode.window.showInputBox({
      title: "Filter",
      prompt: "Show only what has this text in its name or description. Empty: everything.",
      value: tree.filter,
    });
    if (text !== undefined) tree.setFilter(text);
  }

  /** A table's node, or the one that the user picks. */
  private async table(node: TableNode | undefined): Promise<TableNode | undefined> {
    if (node !== undefined) return node;
    const { nodes } = await tablesPage(this.server);
    const tables = nodes.filter((each): each is TableNode => each instanceof TableNode);
    if (tables.length === 0) {
      const text =
        'Lua Persist: no table is stored yet. Evaluate ext.table("name").key = value first.';
      void vscode.window.showInformationMessage(text);
      return undefined;
    }
    const chosen = await vscode.window.showQuickPick(
      tables.map((table) => ({
        label: table.path,
        description: String(table.item.description),
        table,
      })),
      { title: "Lua Persist: tables", placeHolder: "Which table?" },
    );
    return chosen?.table;
  }

  private async openTable(node?: TableNode | ValueNode): Promise<void> {
    await this.try(async () => {
      const wanted = node instanceof ValueNode ? node : await this.table(node);
      if (wanted?.path == null) return;
      this.panels.open({ table: wanted.path, ...wanted.folder });
    });
  }

  private async export(node?: TableNode): Promise<void> {
    const table = await this.table(node);
    if (table === undefined) return;
    const done = await exportTable(this.server, { ...table.folder, table: table.path });
    if (done.path === null) return;
    if (done.left_out_count === 0) {
      vscode.window.setStatusBarMessage(`$(check) ${exportText(done)}`, 5_000);
    } else void vscode.window.showWarningMessage(`Lua Persist: ${exportText(done)}`);
  }

  private async import(node?: TableNode): Promise<void> {
    const [file] =
      (await vscode.window.showOpenDialog({
        title: "Import rows",
        filters: { "Rows (CSV, JSON, JSON Lines)": ["csv", "json", "jsonl", "ndjson"] },
      })) ?? [];
    if (file === undefined) return;
    const name = /([^/\\]+)\.\w+$/.exec(file.fsPath)?.[1] ?? "rows";
    const table =
      node?.path ?? (/^[A-Za-z_]\w*$/.test(name) ? name : `ext.table(${JSON.stringify(name)})`);
    this.imports.open({ path: file.fsPath, table, ...(node?.folder ?? currentFolder()) });
  }

  private async createIndex(node?: TableNode): Promise<void> {
    const table = await this.table(node);
    if (table === undefined) return;
    const fields = await createIndex(this.server, table.folder, table.path);
    if (fields === undefined) return;
    this.tables.refresh();
    const told = `$(check) There is an index of ${table.path} by ${fields} now`;
    vscode.window.setStatusBarMessage(told, 5_000);
  }

  private async dropTable({ info, folder }: TableNode): Promise<void> {
    await this.server.call("dropTable", { ...folder, table: info.name });
    this.refresh();
    sayDeleted(`The table ${info.name}`);
  }

  private async dropIndex({ index, table }: IndexNode): Promise<void> {
    await this.server.call("dropIndex", {
      ...table.folder,
      table: table.path,
      fields: index.fields,
      ...(index.kind === undefined ? {} : { kind: index.kind }),
    });
    this.tables.refresh();
    sayDeleted(`The index of ${table.path} by ${index.fields.join(", ")}`);
  }

  private async showSchema(node?: TableNode): Promise<void> {
    const table = await this.table(node);
    if (table === undefined) return;
    const params = { ...table.folder, table: table.path };
    const stored = await this.server.call("schema", params);
    const schema =
      stored.definition === null ? await this.server.call("deriveSchema", params) : stored;
    const head =
      stored.definition === null
        ? `-- ${table.path} has no schema. This is what its rows look like:`
        : `-- The schema of ${table.path}:`;
    const definition = JSON.stringify(schema.definition, undefined, 2);
    const text = `${head}\n\n${schema.annotations}\n\n--[[\n${definition}\n]]\n`;
    await this.texts.show(`Schema of ${table.path}.lua`, text);
  }

  private async setValue(node: ValueNode): Promise<void> {
    const { path } = node;
    if (path === null) return;
    const source = await this.wholeOf(node);
    await vscode.window
      .showInputBox({
        title: `Value of ${path}`,
        prompt: 'As Lua writes it: 42, "text", { 1, 2 }, nil',
        // What is no source of the value, as of a function, is nothing to begin with.
        value: source?.complete === false ? "" : (source?.text ?? node.text),
        validateInput: (text) => (text.trim() === "" ? "Type a value; nil deletes it." : undefined),
      })
      .then((value) =>
        value === undefined
          ? undefined
          : this.try(async () => {
              await this.server.call("set", { ...node.folder, path, value });
              this.refresh();
            }),
      );
  }

  /** A value in full, where it is stored; the tree shows only so much of it. */
  private async wholeOf({ path, folder }: ValueNode): Promise<WholeValue | undefined> {
    if (path === null) return undefined;
    return this.server.call("whole", { ...folder, path }).catch(() => undefined);
  }

  /** A text as it is, anything else as Lua writes it. */
  private async copyValue(node: ValueNode): Promise<void> {
    const whole = await this.wholeOf(node);
    await vscode.env.clipboard.writeText(whole?.value.content ?? whole?.text ?? node.text);
    vscode.window.setStatusBarMessage("$(check) Value copied", 2_000);
  }

  private async deleteValue({ path, folder }: ValueNode): Promise<void> {
    if (path === null) return;
    await this.server.call("delete", { ...folder, path });
    this.refresh();
    sayDeleted(path);
  }

  private async copyPath({ path }: { path: string | null }): Promise<void> {
    await vscode.env.clipboard.writeText(path ?? "");
  }

  private async goToFunction(node: FunctionNode): Promise<void> {
    const { uri, line } = node.info;
    if (uri === null || line === null || node.info.drift === "source_gone") {
      await this.showStoredSource(node);
      return;
    }
    const at = new vscode.Position(line - 1, 0);
    await vscode.window.showTextDocument(vscode.Uri.parse(uri), {
      preview: true,
      selection: new vscode.Range(at, at),
    });
  }

  private async showStoredSource({ path, folder }: FunctionNode): Promise<void> {
    await showStoredSource(this.server, this.texts, path, folder);
  }

  private async callFunction(node?: FunctionNode): Promise<void> {
    const path = node?.path ?? (await this.pickFunction());
    if (path === undefined) return;
    const text = await vscode.window.showInputBox({
      title: `Call ${path}`,
      prompt: "Arguments as Lua writes them, with commas between them",
      placeHolder: '1, "two", { three = 3 }',
    });
    if (text === undefined) return;
    const folder = node?.folder ?? currentFolder();
    const evaluation = await this.server.call("evaluateText", {
      ...folder,
      text: `return ${path}(${text})`,
      name: `call of ${path}`,
    });
    const said = evaluation.ok
      ? evaluation.text === ""
        ? `${path} gave no value.`
        : `${path}: ${evaluation.text}`
      : (evaluation.problems[0]?.message ?? "It failed.");
    const show = evaluation.ok
      ? vscode.window.showInformationMessage
      : vscode.window.showErrorMessage;
    const copy = await show(said.slice(0, 500), "Copy");
    if (copy === "Copy") await vscode.env.clipboard.writeText(evaluation.text);
  }

  private async pickFunction(): Promise<string | undefined> {
    const { nodes } = await functionsPage(this.server, 1_000);
    const paths = nodes.flatMap((each) => (each instanceof FunctionNode ? [each.path] : []));
    if (paths.length === 0) {
      const text =
        "Lua Persist: no function is stored yet. Evaluate function Memory.greet() … end first.";
      void vscode.window.showInformationMessage(text);
      return undefined;
    }
    return vscode.window.showQuickPick(paths, { title: "Call which function?" });
  }

  private async updateFunction({ path, info, folder }: FunctionNode): Promise<void> {
    const uri = info.uri ?? vscode.window.activeTextEditor?.document.uri.toString();
    if (uri === undefined) throw new Error(`Open the file that has the new source of ${path}.`);
    await this.server.call("updateFunction", { ...folder, path, uri });
    this.functions.refresh();
  }

  private async deleteFunction({ path, folder }: FunctionNode): Promise<void> {
    await this.server.call("deleteFunction", { ...folder, path });
    this.refresh();
    sayDeleted(path);
  }

  private async showChanges({ entry, older, folder }: HistoryNode): Promise<void> {
    const { differences } = await this.server.call("diff", {
      ...folder,
      before: older,
      after: entry.number,
    });
    await this.texts.show(`Changes of ${entry.number}.lua`, changesText(entry.source, differences));
  }

  private async undoTo({ steps, folder }: HistoryNode): Promise<void> {
    const { text } = await this.server.call("undo", { ...folder, count: steps });
    this.refresh();
    vscode.window.setStatusBarMessage(`$(discard) ${text ?? "Undone"}`, 5_000);
  }
}

function sayDeleted(what: string): void {
  vscode.window.setStatusBarMessage(`$(trash) ${what} is deleted; undo brings it back`, 5_000);
}

function changesText(source: string, differences: readonly Difference[]): string {
  const lines = differences.map(({ place, before, after }) => {
    // What is defined, an index or a schema, is told as a text.
    const [was, is] = [before, after].map((value) => value.content ?? value.text);
    const isText = place.startsWith("the ");
    const old = isText ? was : before.text;
    const now = isText ? is : after.text;
    if (before.type === "nil") return `-- + ${place} = ${now}`;
    if (after.type === "nil") return `-- - ${place}, which was ${old}`;
    return `-- ~ ${place}: ${old} -> ${now}`;
  });
  const told = lines.length === 0 ? ["-- nothing that is still known"] : lines;
  return `-- What this evaluation changed:\n${told.join("\n")}\n\n${source}\n`;
}
