// Values in trees: any table or function, level by level, as the server's `inspect` tells them.

import * as vscode from "vscode";
import type { Place } from "../folder";
import type { InspectEntry } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { inPieces, type Node, type Page } from "./tree";

const DESCRIPTION_CHARACTERS_MAX = 100;

const ICONS: Record<string, string> = {
  string: "symbol-string",
  integer: "symbol-number",
  float: "symbol-number",
  boolean: "symbol-boolean",
  table: "symbol-object",
  function: "symbol-function",
  userdata: "symbol-misc",
  thread: "git-branch",
  nil: "circle-slash",
};

/** An entry of a table, or an upvalue of a function. */
export class ValueNode implements Node {
  readonly item: vscode.TreeItem;
  readonly path: string | null;
  readonly type: string;
  /** The value as Lua writes it. */
  readonly text: string;
  load?: (limit: number) => Promise<Page>;

  constructor(
    entry: InspectEntry,
    server: LuaServer,
    readonly folder: Place,
  ) {
    this.path = entry.path;
    this.type = entry.value.type;
    this.text = entry.value.text;
    const { path } = entry;
    const expandable = entry.expandable && path !== null;
    this.item = new vscode.TreeItem(
      entry.key.content ?? entry.key.text,
      expandable ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
    );
    this.item.description = clipped(entry.value.text);
    this.item.iconPath = new vscode.ThemeIcon(ICONS[this.type] ?? "symbol-value");
    this.item.contextValue = `value.${this.type}${path === null ? "" : ".path"}`;
    this.item.tooltip = new vscode.MarkdownString(
      `\`${path ?? "no path"}\` · ${this.type}\n\n\`\`\`lua\n${entry.value.text}\n\`\`\``,
    );
    const spoken = `${entry.key.text}, ${this.type}, ${clipped(entry.value.text)}`;
    this.item.accessibilityInformation = { label: spoken };
    if (expandable) this.load = (limit) => valuePage(server, folder, path, limit);
  }
}

export async function valuePage(
  server: LuaServer,
  folder: Place,
  path: string,
  limit: number,
): Promise<Page> {
  let total: number | null = null;
  const entries = await inPieces(limit, async (place) => {
    const found = await server.call("inspect", { ...folder, path, ...place, depth: 1 });
    total = found.total;
    return found.entries;
  });
  const nodes = entries.map((entry) => new ValueNode(entry, server, folder));
  return { nodes, more: Math.max((total ?? nodes.length) - nodes.length, 0) };
}

function clipped(text: string): string {
  return text.length > DESCRIPTION_CHARACTERS_MAX
    ? `${text.slice(0, DESCRIPTION_CHARACTERS_MAX - 1)}…`
    : text;
}
