// The first minutes: the walkthrough and a file to try things in.

import * as vscode from "vscode";

const SAMPLE_NAME = "welcome.lua";

export async function openWalkthrough(context: vscode.ExtensionContext): Promise<void> {
  const id = `${context.extension.id}#luaPersist.welcome`;
  await vscode.commands.executeCommand("workbench.action.openWalkthrough", id, false);
}

/** Opens the sample: as a file of the workspace if there is one, so that what it stores is kept there. */
export async function openSample(context: vscode.ExtensionContext): Promise<void> {
  const source = vscode.Uri.joinPath(context.extensionUri, "walkthrough", SAMPLE_NAME);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (folder === undefined) {
    const content = new TextDecoder().decode(await vscode.workspace.fs.readFile(source));
    const document = await vscode.workspace.openTextDocument({ language: "lua", content });
    await vscode.window.showTextDocument(document);
    return;
  }
  const target = vscode.Uri.joinPath(folder, SAMPLE_NAME);
  try {
    await vscode.workspace.fs.stat(target);
  } catch {
    await vscode.workspace.fs.copy(source, target, { overwrite: false });
  }
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(target));
}
