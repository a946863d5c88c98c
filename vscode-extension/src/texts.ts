// Texts that are shown in editors without being files: read-only, and nobody is asked to save them.

import * as vscode from "vscode";

export const TEXT_SCHEME = "lua-persist-text";
const KEPT_MAX = 100;

export class Texts implements vscode.TextDocumentContentProvider {
  private readonly kept = new Map<string, string>();
  private readonly changeEmitter = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changeEmitter.event;

  /** Shows a text; `name` is its title and, by its ending, its language. */
  async show(name: string, text: string, options: vscode.TextDocumentShowOptions = {}) {
    const uri = vscode.Uri.from({ scheme: TEXT_SCHEME, path: `/${name}` });
    const key = uri.toString();
    this.kept.delete(key);
    this.kept.set(key, text);
    const oldest = this.kept.keys().next().value;
    if (this.kept.size > KEPT_MAX && oldest !== undefined) this.kept.delete(oldest);
    this.changeEmitter.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true, ...options });
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.kept.get(uri.toString()) ?? "-- This text is gone.";
  }
}
