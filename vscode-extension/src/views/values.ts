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

/** What is in a value, as the server tells it. */
export interface Inside {
  nodes: ValueNode[];
  total: number;
  /** Of the globals: so many, the last ones, every session has. */
  given: number;
}

export async function valuesIn(
  server: LuaServer,
  folder: Place,
  path: string,
  limit: number,
  from = 0,
): Promise<Inside> {
  let total: number | null = null;
  let given = 0;
  const entries = await inPieces(limit, async (place) => {
    const asked = { ...folder, path, ...place, offset: from + place.offset, depth: 1 };
    const found = await server.call("inspect", asked);
    total = found.total;
    given = found.given ?? 0;
    return found.entries;
  });
  const nodes = entries.map((entry) => new ValueNode(entry, server, folder));
  return { nodes, total: total ?? nodes.length, given };
}

export async function valuePage(
  server: LuaServer,
  folder: Place,
  path: string,
  limit: number,
): Promise<Page> {
  const { nodes, total } = await valuesIn(server, folder, path, limit);
  return { nodes, more: Math.max(total - nodes.length, 0) };
}

function clipped(text: string): string {
  return text.length > DESCRIPTION_CHARACTERS_MAX
    ? `${text.slice(0, DESCRIPTION_CHARACTERS_MAX - 1)}…`
    : text;
}
