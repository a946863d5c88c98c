// Which session the views are about: that of the active Lua document, else of the first folder.

import * as vscode from "vscode";
import { Lifetime } from "./lifetime";

/** The field `uri` for commands of the server; empty where there is no folder at all. */
export interface Place {
  uri?: string;
}

const NOTEBOOK_CELL = "vscode-notebook-cell";

let last: vscode.Uri | undefined;

export function currentFolder(): Place {
  const uri = current()?.uri;
  return uri === undefined ? {} : { uri: uri.toString() };
}

/** Its name, where there are others: what is said about one session must not be taken for another. */
export function nameOf({ uri }: Place): string | undefined {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length < 2 || uri === undefined) return undefined;
  return vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(uri))?.name;
}

/** Whether a document belongs to the session of a place. */
export function isOf(place: Place, uri: string): boolean {
  return sessionOf(place.uri) === sessionOf(uri);
}

/** Files outside of all folders have a session of their own; what is no file is the first folder's. */
function sessionOf(text: string | undefined): string {
  const uri = text === undefined ? undefined : vscode.Uri.parse(text);
  const own = uri === undefined ? undefined : folderOf(uri);
  const isOutside = own === undefined && uri?.scheme === "file";
  const found = isOutside ? undefined : (own ?? vscode.workspace.workspaceFolders?.[0]);
  return found?.uri.toString() ?? "";
}

/** Calls back when another folder has become the current one, or is called otherwise. */
export function onFolderChanged(changed: () => void): vscode.Disposable {
  const lifetime = new Lifetime();
  const state = () => JSON.stringify([currentFolder(), nameOf(currentFolder())]);
  let before = state();
  const look = () => {
    const now = state();
    if (now === before) return;
    before = now;
    changed();
  };
  lifetime.own(vscode.window.onDidChangeActiveTextEditor(look));
  lifetime.own(vscode.workspace.onDidChangeWorkspaceFolders(look));
  return lifetime;
}

function current(): vscode.WorkspaceFolder | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId === "lua") {
    const file = fileOf(document.uri);
    if (file.scheme === "file") last = file;
  }
  const found = last === undefined ? undefined : folderOf(last);
  return found ?? vscode.workspace.workspaceFolders?.[0];
}

function folderOf(uri: vscode.Uri): vscode.WorkspaceFolder | undefined {
  return vscode.workspace.getWorkspaceFolder(fileOf(uri));
}

/** A cell lies where its notebook lies. */
function fileOf(uri: vscode.Uri): vscode.Uri {
  return uri.scheme === NOTEBOOK_CELL ? uri.with({ scheme: "file", fragment: "" }) : uri;
}
