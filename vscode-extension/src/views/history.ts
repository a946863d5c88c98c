// The view History: evaluations that changed something, newest first.

import * as vscode from "vscode";
import { fenced } from "../evaluate/results";
import { currentFolder, type Place } from "../folder";
import type { HistoryEntry } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { counted, inPieces, type Node, type Page } from "./tree";

const KEYS_SHOWN = 8;

export class HistoryNode implements Node {
  readonly item: vscode.TreeItem;

  constructor(
    readonly entry: HistoryEntry,
    /** How many evaluations undo goes back over to end before this one. */
    readonly steps: number,
    /** The number of the evaluation before it; 0: there is none. */
    readonly older: number,
    readonly folder: Place,
  ) {
    const firstLine = entry.source.trim().split("\n")[0] ?? "";
    this.item = new vscode.TreeItem(firstLine === "" ? entry.name : firstLine);
    this.item.id = `history:${entry.number}`;
    this.item.description = `${entry.undone ? "undone · " : ""}${time(entry.made_utc)} · ${changes(entry)}`;
    const icon = entry.undone ? "discard" : entry.own ? "git-commit" : "account";
    this.item.iconPath = new vscode.ThemeIcon(icon);
    this.item.contextValue = entry.own && !entry.undone ? "history.own" : "history.other";
    const keys = entry.keys.slice(0, KEYS_SHOWN).map((key) => `- \`${key}\``);
    const more = entry.keys.length > KEYS_SHOWN ? ["- …"] : [];
    const tooltip = new vscode.MarkdownString(
      [
        `**${entry.name}** · ${new Date(entry.made_utc).toLocaleString()}`,
        fenced(entry.source.slice(0, 1_000), "lua"),
        [...keys, ...more].join("\n"),
      ].join("\n\n"),
    );
    this.item.tooltip = tooltip;
    this.item.command = {
      title: "Show Changes",
      command: "luaPersist.showChanges",
      arguments: [this],
    };
  }
}

function time(utc: string): string {
  const when = new Date(utc);
  const isToday = when.toDateString() === new Date().toDateString();
  return isToday ? when.toLocaleTimeString() : when.toLocaleDateString();
}

function changes(entry: HistoryEntry): string {
  const facts = [
    entry.entries_set > 0 ? `${entry.entries_set} set` : "",
    entry.entries_deleted > 0 ? `${entry.entries_deleted} deleted` : "",
    entry.functions_made > 0 ? counted(entry.functions_made, "function") : "",
    entry.upvalues_set > 0 ? counted(entry.upvalues_set, "variable") : "",
  ].filter((fact) => fact !== "");
  // What is not counted is named: a schema, an index, a metatable.
  return facts.length === 0 ? entry.keys.join(", ") : facts.join(", ");
}

export async function historyPage(server: LuaServer, limit: number): Promise<Page> {
  const folder = currentFolder();
  const evaluations = await inPieces(
    limit + 1,
    async (place) => (await server.call("history", { ...folder, ...place })).evaluations,
  );
  let steps = 0;
  const nodes = evaluations.slice(0, limit).map((entry, at) => {
    if (entry.own && !entry.undone) steps += 1;
    return new HistoryNode(entry, steps, evaluations[at + 1]?.number ?? 0, folder);
  });
  return { nodes, more: Math.max(evaluations.length - limit, 0) };
}
