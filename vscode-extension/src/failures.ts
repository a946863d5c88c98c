// How a failure is told. One that only trust would mend leads to where trust is given.

import * as vscode from "vscode";
import { messageOf } from "./lifetime";

export const MANAGE_TRUST = "workbench.trust.manage";
const MANAGE_TRUST_TITLE = "Manage Workspace Trust";
const UNTRUSTED =
  "Nothing is evaluated or changed in a workspace that you do not trust. What is stored can be looked at.";

/** Tells it without waiting for an answer. */
export function tellFailure(error: unknown): void {
  if (isForWantOfTrust(error)) void tellUntrusted();
  else void vscode.window.showErrorMessage(`Lua Persist: ${messageOf(error)}`);
}

function isForWantOfTrust(error: unknown): boolean {
  return !vscode.workspace.isTrusted && /not trusted/.test(messageOf(error));
}

async function tellUntrusted(): Promise<void> {
  const text = `Lua Persist: ${UNTRUSTED}`;
  const chosen = await vscode.window.showWarningMessage(text, MANAGE_TRUST_TITLE);
  if (chosen === MANAGE_TRUST_TITLE) await vscode.commands.executeCommand(MANAGE_TRUST);
}
