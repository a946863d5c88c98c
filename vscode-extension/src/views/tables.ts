// The view Tables: named tables with their sizes, indexes and schemas, and what is in them.

import * as vscode from "vscode";
import { currentFolder, type Place } from "../folder";
import type { IndexInfo, TableInfo } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { counted, type Node, type Page } from "./tree";
import { valuePage } from "./values";

export class TableNode implements Node {
  readonly item: vscode.TreeItem;
  readonly path: string;

  constructor(
    readonly info: TableInfo,
    private readonly server: LuaServer,
    readonly folder: Place,
  ) {
    this.path = info.path;
    this.item = new vscode.TreeItem(info.name, vscode.TreeItemCollapsibleState.Collapsed);
    const facts = [counted(info.entries, "row")];
    if (info.indexes > 0) facts.push(counted(info.indexes, "index", "indexes"));
    if (info.has_schema) facts.push("schema");
    this.item.id = `table:${info.path}`;
    this.item.description = facts.join(" · ");
    this.item.iconPath = new vscode.ThemeIcon("table");
    // `Memory` is always there.
    const kind = info.name === "Memory" ? "memory" : "named";
    this.item.contextValue = `table.${kind}${info.has_schema ? ".schema" : ""}`;
    this.item.tooltip = `${info.path}: ${facts.join(", ")}. Click to open the grid.`;
    this.item.command = {
      title: "Open Table",
      command: "luaPersist.openTable",
      arguments: [this],
    };
  }

  async load(limit: number): Promise<Page> {
    const page = await valuePage(this.server, this.folder, this.path, limit);
    const first: Node[] = [];
    if (this.info.indexes > 0) first.push(new IndexesNode(this, this.server));
    if (this.info.has_schema) first.push(new SchemaNode(this));
    return { nodes: [...first, ...page.nodes], more: page.more };
  }
}

class SchemaNode implements Node {
  readonly item = new vscode.TreeItem("Schema");

  constructor(table: TableNode) {
    this.item.iconPath = new vscode.ThemeIcon("symbol-structure");
    this.item.tooltip = `What rows of ${table.path} must follow. Click to show it.`;
    this.item.command = {
      title: "Show Schema",
      command: "luaPersist.showSchema",
      arguments: [table],
    };
  }
}

class IndexesNode implements Node {
  readonly item = new vscode.TreeItem("Indexes", vscode.TreeItemCollapsibleState.Collapsed);

  constructor(
    private readonly table: TableNode,
    private readonly server: LuaServer,
  ) {
    this.item.iconPath = new vscode.ThemeIcon("list-ordered");
    this.item.description = String(table.info.indexes);
  }

  async load(): Promise<Page> {
    const { indexes } = await this.server.call("indexes", {
      ...this.table.folder,
      table: this.table.path,
    });
    return { nodes: indexes.map((index) => new IndexNode(index, this.table)), more: 0 };
  }
}

export class IndexNode implements Node {
  readonly item: vscode.TreeItem;

  constructor(
    readonly index: IndexInfo,
    readonly table: TableNode,
  ) {
    const facts = [index.kind ?? "", index.unique === true ? "unique" : ""];
    if (index.each === true) facts.push("each element");
    this.item = new vscode.TreeItem(index.fields.join(", "));
    this.item.description = facts.filter((fact) => fact !== "").join(" · ");
    this.item.iconPath = new vscode.ThemeIcon("key");
    this.item.contextValue = "index";
    this.item.tooltip = `Index of ${table.path} by ${index.fields.join(", ")}`;
  }
}

export async function tablesPage(server: LuaServer): Promise<Page> {
  const folder = currentFolder();
  const { tables } = await server.call("tables", folder);
  return { nodes: tables.map((info) => new TableNode(info, server, folder)), more: 0 };
}
