// The evaluating commands: what the cursor is on becomes a command of the server.

import * as vscode from "vscode";
import type { Range as LspRange } from "vscode-languageclient/node";
import type { CommandName, Handlers } from "../commands";
import { tellFailure } from "../failures";
import { currentFolder, nameOf, type Place } from "../folder";
import type { Evaluation, ParamsOf, ResultOf, ServerCommand } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { TEXT_SCHEME, type Texts } from "../texts";
import type { InlineResults } from "./inline";
import { type Results, wholeText } from "./results";

export type EvaluateCommand = Extract<
  CommandName,
  | "evaluate"
  | "evaluateAndMove"
  | "evaluateTopLevelForm"
  | "evaluateLine"
  | "evaluateToCursor"
  | "evaluateFile"
  | "evaluateToComment"
  | "evaluateExamples"
  | "interrupt"
  | "clearResults"
  | "copyLastResult"
  | "copyResult"
  | "openResult"
  | "undo"
  | "redo"
  | "restartSession"
  | "resetSession"
>;

const NO_RESULT = "Lua Persist: there is no result yet. Evaluate some Lua first: Ctrl+Enter.";

export class Evaluating {
  constructor(
    private readonly server: LuaServer,
    private readonly inline: InlineResults,
    private readonly results: Results,
    private readonly texts: Texts,
  ) {}

  handlers(): Handlers<EvaluateCommand> {
    return {
      evaluate: () => this.selection(),
      evaluateAndMove: () => this.selectionAndMove(),
      evaluateTopLevelForm: () => this.atCursor("evaluateForm"),
      evaluateLine: () => this.atCursor("evaluateLine"),
      evaluateToCursor: () => this.atCursor("evaluateToCursor"),
      evaluateFile: (uri?: vscode.Uri) => this.file(uri),
      evaluateToComment: () => this.toComment(),
      evaluateExamples: () => this.atCursor("evaluateExamples"),
      interrupt: () => this.server.call("interrupt", {}),
      clearResults: () => this.clear(),
      copyLastResult: () => this.copy(undefined),
      copyResult: (number?: number) => this.copy(number),
      openResult: (number?: number) => this.open(number),
      undo: () => this.travel("undo"),
      redo: () => this.travel("redo"),
      restartSession: () => this.restart("restart", "goes on in a fresh VM"),
      resetSession: () => this.reset(),
    };
  }

  private async selection(): Promise<Evaluation | undefined> {
    const editor = luaEditor();
    if (editor === undefined) return undefined;
    const { document, selection } = editor;
    return this.run(document, selection, "evaluateSelection", {
      uri: document.uri.toString(),
      range: lspRange(selection),
    });
  }

  private async selectionAndMove(): Promise<void> {
    const editor = luaEditor();
    if (editor === undefined) return;
    const before = editor.selection;
    const evaluation = await this.selection();
    // Somebody who has gone on meanwhile stays where they are.
    if (evaluation?.range === undefined || !editor.selection.isEqual(before)) return;
    const { document } = editor;
    let line = evaluation.range.end.line + 1;
    while (line < document.lineCount && document.lineAt(line).isEmptyOrWhitespace) line += 1;
    if (line >= document.lineCount) return;
    const at = new vscode.Position(line, document.lineAt(line).firstNonWhitespaceCharacterIndex);
    editor.selection = new vscode.Selection(at, at);
    editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  private async atCursor(
    name: "evaluateForm" | "evaluateLine" | "evaluateToCursor" | "evaluateExamples",
  ): Promise<void> {
    const editor = luaEditor();
    if (editor === undefined) return;
    const { document, selection } = editor;
    const { line, character } = selection.active;
    await this.run(document, selection, name, {
      uri: document.uri.toString(),
      position: { line, character },
    });
  }

  private async file(uri?: vscode.Uri): Promise<void> {
    const document =
      uri instanceof vscode.Uri
        ? await vscode.workspace.openTextDocument(uri)
        : luaEditor()?.document;
    if (document === undefined) {
      void vscode.window.showInformationMessage("Lua Persist: open a Lua file to evaluate it.");
      return;
    }
    const end = document.lineAt(document.lineCount - 1).range.end;
    const whole = new vscode.Range(new vscode.Position(0, 0), end);
    await this.run(document, whole, "evaluateFile", { uri: document.uri.toString() });
  }

  private async toComment(): Promise<void> {
    const editor = luaEditor();
    if (editor === undefined) return;
    const { document, selection } = editor;
    const uri = document.uri.toString();
    const { line, character } = selection.active;
    const params = selection.isEmpty
      ? { uri, position: { line, character } }
      : { uri, range: lspRange(selection) };
    await this.run(document, selection, "evaluateToComment", params);
  }

  private async run<K extends ServerCommand>(
    document: vscode.TextDocument,
    range: vscode.Range,
    name: K,
    params: ParamsOf<K>,
  ): Promise<ResultOf<K> | undefined> {
    const pending = this.inline.pending(document, range);
    try {
      // What it gives is shown when the server tells of it, whoever has asked for it.
      return await this.server.call(name, params);
    } catch (error) {
      this.fail(error);
      return undefined;
    } finally {
      pending.dispose();
    }
  }

  private async clear(): Promise<void> {
    this.inline.clear();
    if (this.server.state === "running") await this.server.call("clearResults", {});
  }

  private async copy(number: number | undefined): Promise<void> {
    const kept = this.results.get(number);
    if (kept === undefined) {
      void vscode.window.showInformationMessage(NO_RESULT);
      return;
    }
    await vscode.env.clipboard.writeText(wholeText(kept.evaluation));
    vscode.window.setStatusBarMessage("$(check) Result copied", 2_000);
  }

  private async open(number: number | undefined): Promise<void> {
    const kept = this.results.get(number);
    if (kept === undefined) {
      void vscode.window.showInformationMessage(NO_RESULT);
      return;
    }
    await this.texts.show(`Result ${kept.number}.lua`, wholeText(kept.evaluation), {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
    });
  }

  private async travel(name: "undo" | "redo"): Promise<void> {
    try {
      const uri = luaEditor()?.document.uri.toString();
      const place = uri === undefined ? currentFolder() : { uri };
      const { text } = await this.server.call(name, place);
      this.inline.clearOf(place);
      vscode.window.setStatusBarMessage(`$(discard) ${text ?? `${name}: done`}`, 5_000);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Of the current folder only: others have a VM, and images, of their own. */
  private async restart(name: "restart" | "reset", done: string): Promise<void> {
    const folder = currentFolder();
    try {
      await this.server.call(name, folder);
      this.inline.clearOf(folder);
      vscode.window.setStatusBarMessage(`$(check) The session${of(folder)} ${done}`, 5_000);
    } catch (error) {
      this.fail(error);
    }
  }

  private async reset(): Promise<void> {
    const confirmed = await vscode.window.showWarningMessage(
      `Reset the Lua session${of(currentFolder())}? Globals and images of the VM go; stored tables and functions stay.`,
      { modal: true },
      "Reset",
    );
    if (confirmed === "Reset") await this.restart("reset", "begins anew");
  }

  private fail(error: unknown): void {
    if (this.server.state !== "running") return; // Its problem was told already.
    tellFailure(error);
  }
}

function of(folder: Place): string {
  const name = nameOf(folder);
  return name === undefined ? "" : ` of ${name}`;
}

/** What is only shown, such as stored sources and older versions, is not evaluated. */
const SHOWN_ONLY = new Set(["lua-persist", TEXT_SCHEME, "git"]);

function luaEditor(): vscode.TextEditor | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || SHOWN_ONLY.has(editor.document.uri.scheme)) return undefined;
  return editor.document.languageId === "lua" ? editor : undefined;
}

function lspRange(range: vscode.Range): LspRange {
  const { start, end } = range;
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
