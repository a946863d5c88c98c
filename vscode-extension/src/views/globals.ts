// The view Globals: what the user's programs have made, and apart from it what every session has.

import * as vscode from "vscode";
import { currentFolder } from "../folder";
import type { LuaServer } from "../server/luaServer";
import { labelOf, type Node, type Page } from "./tree";
import { valuesIn } from "./values";

const GLOBALS = "_G";
/** About so many globals every session has: they come with the first page of the others. */
const GIVEN_USUALLY = 50;

/** Lua's libraries, `ext` and `Memory`. */
class LibrariesNode implements Node {
  readonly item = new vscode.TreeItem("Libraries", vscode.TreeItemCollapsibleState.Collapsed);

  constructor(private readonly nodes: Node[]) {
    const names = nodes.map(({ item }) => labelOf(item)).join(", ");
    this.item.id = "libraries";
    // So a filter finds them by what they have, too.
    this.item.description = names;
    this.item.iconPath = new vscode.ThemeIcon("library");
    this.item.tooltip = `What every session has: ${names}`;
    this.item.accessibilityInformation = { label: `Libraries, ${nodes.length} names` };
  }

  async load(): Promise<Page> {
    return { nodes: this.nodes, more: 0 };
  }
}

export async function globalsPage(server: LuaServer, limit: number): Promise<Page> {
  const folder = currentFolder();
  const first = await valuesIn(server, folder, GLOBALS, limit + GIVEN_USUALLY);
  const own = Math.max(first.total - first.given, 0);
  const libraries =
    first.nodes.length >= first.total
      ? first.nodes.slice(own)
      : (await valuesIn(server, folder, GLOBALS, first.given, own)).nodes;
  const nodes = first.nodes.slice(0, Math.min(own, limit));
  return {
    nodes: own === 0 ? [nothingYet()] : nodes,
    more: own - nodes.length,
    last: libraries.length === 0 ? [] : [new LibrariesNode(libraries)],
  };
}

function nothingYet(): Node {
  const item = new vscode.TreeItem("No global is set yet");
  item.description = "x = 42 sets one";
  item.iconPath = new vscode.ThemeIcon("info");
  return { item };
}
