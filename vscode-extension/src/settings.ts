// The extension's own settings, read where they are used: a change needs no restart unless the
// server itself must be started anew. Settings of the session go to the server as they are.

import * as os from "node:os";
import * as vscode from "vscode";

export const SECTION = "luaPersist";

/** Changes of these start the server anew. */
export const SERVER_SETTINGS = ["luaPersist.server.command", "luaPersist.python.path"] as const;

export function setting<T>(name: string, fallback: T): T {
  return vscode.workspace.getConfiguration(SECTION).get<T>(name) ?? fallback;
}

/** The command of an existing server, or undefined for the one that the extension installs. */
export function configuredServer(): string[] | undefined {
  const configured = setting<unknown>("server.command", []);
  const parts = typeof configured === "string" ? [configured] : configured;
  if (!Array.isArray(parts)) return undefined;
  const words = parts.filter((part): part is string => typeof part === "string" && part !== "");
  const [program, ...args] = words.map(expanded);
  if (program === undefined) return undefined;
  return args.length === 0 ? [program, "serve"] : [program, ...args];
}

export function configuredPython(): string | undefined {
  const path = setting("python.path", "").trim();
  return path === "" ? undefined : expanded(path);
}

export function showsDecorations(): boolean {
  return setting("results.inline", "decorations") === "decorations";
}

function expanded(text: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const replaced = text
    .replaceAll(/\$\{workspaceFolder\}/g, folder)
    .replaceAll(/\$\{userHome\}/g, os.homedir());
  return replaced.startsWith("~/") ? os.homedir() + replaced.slice(1) : replaced;
}
