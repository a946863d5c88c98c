// An issue report with the versions that matter, for the user to complete.

import * as vscode from "vscode";
import type { LuaServer } from "./luaServer";

/** Opens the editor's issue reporter, or a document with the text where there is none. */
export async function reportIssue(
  context: vscode.ExtensionContext,
  server: LuaServer,
): Promise<void> {
  const text = await reportText(context, server);
  try {
    await vscode.commands.executeCommand("workbench.action.openIssueReporter", {
      extensionId: context.extension.id,
      issueBody: text,
    });
  } catch {
    const document = await vscode.workspace.openTextDocument({
      language: "markdown",
      content: text,
    });
    await vscode.window.showTextDocument(document);
  }
}

export async function reportText(
  context: vscode.ExtensionContext,
  server: LuaServer,
): Promise<string> {
  const { version } = context.extension.packageJSON as { version: string };
  return [
    "What did you do, what did you expect, and what happened instead?",
    "",
    "---",
    `Extension: ${version}`,
    `VS Code: ${vscode.version} (${vscode.env.appName}, ${vscode.env.remoteName ?? "local"})`,
    `System: ${process.platform} ${process.arch}`,
    await server.report(),
    "",
  ].join("\n");
}
