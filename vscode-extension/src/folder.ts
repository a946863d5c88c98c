// Which session the views are about: that of the active Lua document, else of the first folder.

import * as vscode from "vscode";

let last: vscode.Uri | undefined;

/** The field `uri` for commands of the server; empty where there is no folder at all. */
export function currentFolder(): { uri?: string } {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId === "lua" && document.uri.scheme === "file") last = document.uri;
  const uri =
    (last === undefined ? undefined : vscode.workspace.getWorkspaceFolder(last)?.uri) ??
    vscode.workspace.workspaceFolders?.[0]?.uri;
  return uri === undefined ? {} : { uri: uri.toString() };
}
