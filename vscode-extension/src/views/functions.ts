// The view Functions: what is stored, and whether it is still what its source says.

import * as vscode from "vscode";
import { currentFolder, type Place } from "../folder";
import type { Drift, FunctionInfo } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import type { Node, Page } from "./tree";
import { valuePage } from "./values";

const DRIFT: Record<Drift, { icon: string; color?: string; text: string; short: string }> = {
  in_sync: { icon: "symbol-function", text: "It is what its source says.", short: "" },
  edited: {
    icon: "diff-modified",
    color: "gitDecoration.modifiedResourceForeground",
    text: "Its source was edited since it was stored.",
    short: "edited",
  },
  source_gone: {
    icon: "diff-removed",
    color: "gitDecoration.deletedResourceForeground",
    text: "Its source is no longer there.",
    short: "source gone",
  },
  unknown: { icon: "symbol-function", text: "Its source is not known.", short: "" },
};

export class FunctionNode implements Node {
  readonly item: vscode.TreeItem;
  readonly path: string;

  constructor(
    readonly info: FunctionInfo,
    private readonly server: LuaServer,
    readonly folder: Place,
  ) {
    this.path = info.path;
    const state = DRIFT[info.drift] ?? DRIFT.unknown;
    this.item = new vscode.TreeItem(info.path, vscode.TreeItemCollapsibleState.Collapsed);
    this.item.description = [parameters(info), state.short]
      .filter((text) => text !== "")
      .join(" · ");
    this.item.iconPath = new vscode.ThemeIcon(
      info.problem === "" ? state.icon : "error",
      state.color === undefined ? undefined : new vscode.ThemeColor(state.color),
    );
    this.item.contextValue = `function.${info.drift}`;
    const place = `${info.chunk}${info.line === null ? "" : `:${info.line}`}`;
    this.item.tooltip = new vscode.MarkdownString(
      [`\`${info.path}${parameters(info)}\``, place, state.text, info.problem]
        .filter((text) => text !== "")
        .join("\n\n"),
    );
    this.item.command = {
      title: "Go to Source",
      command: "luaPersist.goToFunction",
      arguments: [this],
    };
  }

  /** Its upvalues. */
  load(limit: number): Promise<Page> {
    return valuePage(this.server, this.folder, this.path, limit);
  }
}

function parameters(info: FunctionInfo): string {
  return `(${info.signature})`;
}

export async function functionsPage(server: LuaServer, limit: number): Promise<Page> {
  const folder = currentFolder();
  const { functions, total } = await server.call("functions", { ...folder, limit });
  const nodes = functions.map((info) => new FunctionNode(info, server, folder));
  return { nodes, more: Math.max(total - nodes.length, 0) };
}
