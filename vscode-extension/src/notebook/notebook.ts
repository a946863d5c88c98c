// Lua notebooks: files `.luanb`, and what runs their cells in the session.

import * as vscode from "vscode";
import { Lifetime, messageOf } from "../lifetime";
import type { Evaluation } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { notebookText, parseNotebook } from "./format";
import { gridHtml, outputText, problemHtml } from "./outputs";

export const NOTEBOOK_TYPE = "lua-persist-notebook";
const FIRST_CELL = "# A Lua notebook\n\nIts cells share the session of the workspace.";

export class Notebooks implements vscode.Disposable, vscode.NotebookSerializer {
  private readonly lifetime = new Lifetime();
  private readonly controller: vscode.NotebookController;
  private order = 0;

  constructor(private readonly server: LuaServer) {
    this.lifetime.own(
      vscode.workspace.registerNotebookSerializer(NOTEBOOK_TYPE, this, {
        transientOutputs: true,
      }),
    );
    this.controller = this.lifetime.own(
      vscode.notebooks.createNotebookController("luaPersist.session", NOTEBOOK_TYPE, "Lua session"),
    );
    this.controller.supportedLanguages = ["lua"];
    this.controller.supportsExecutionOrder = true;
    this.controller.description = "Lua Persist";
    this.controller.executeHandler = (cells) => this.execute(cells);
    this.controller.interruptHandler = async () => {
      await server.call("interrupt", {});
    };
  }

  async create(): Promise<void> {
    const cells = [
      new vscode.NotebookCellData(vscode.NotebookCellKind.Markup, FIRST_CELL, "markdown"),
      new vscode.NotebookCellData(vscode.NotebookCellKind.Code, 'print("hello")', "lua"),
    ];
    const data = new vscode.NotebookData(cells);
    const document = await vscode.workspace.openNotebookDocument(NOTEBOOK_TYPE, data);
    await vscode.window.showNotebookDocument(document);
  }

  deserializeNotebook(content: Uint8Array): vscode.NotebookData {
    const cells = parseNotebook(new TextDecoder().decode(content));
    return new vscode.NotebookData(
      cells.map(({ kind, text }) =>
        kind === "lua"
          ? new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, "lua")
          : new vscode.NotebookCellData(vscode.NotebookCellKind.Markup, text, "markdown"),
      ),
    );
  }

  serializeNotebook(data: vscode.NotebookData): Uint8Array {
    const text = notebookText(
      data.cells.map((cell) => ({
        kind: cell.kind === vscode.NotebookCellKind.Markup ? "markdown" : "lua",
        text: cell.value,
      })),
    );
    return new TextEncoder().encode(text);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private async execute(cells: readonly vscode.NotebookCell[]): Promise<void> {
    for (const cell of cells) if (!(await this.executeCell(cell))) break;
  }

  /** False if it failed: the cells after it were written for what it should have done. */
  private async executeCell(cell: vscode.NotebookCell): Promise<boolean> {
    const execution = this.controller.createNotebookCellExecution(cell);
    this.order += 1;
    execution.executionOrder = this.order;
    execution.start(Date.now());
    await execution.clearOutput();
    try {
      const uri = cell.document.uri.toString();
      const call = this.server.call("evaluateFile", { uri });
      execution.token.onCancellationRequested(() => void this.server.call("interrupt", {}));
      const evaluation = await call;
      await execution.replaceOutput(outputsOf(evaluation));
      execution.end(evaluation.ok, Date.now());
      return evaluation.ok;
    } catch (error) {
      const item = vscode.NotebookCellOutputItem.error(
        error instanceof Error ? error : new Error(messageOf(error)),
      );
      await execution.replaceOutput([new vscode.NotebookCellOutput([item])]);
      execution.end(false, Date.now());
      return false;
    }
  }
}

function outputsOf(evaluation: Evaluation): vscode.NotebookCellOutput[] {
  const outputs: vscode.NotebookCellOutput[] = [];
  const printed = outputText(evaluation);
  if (printed !== "") {
    const item = vscode.NotebookCellOutputItem.stdout(printed);
    outputs.push(new vscode.NotebookCellOutput([item]));
  }
  for (const problem of evaluation.problems) {
    const html = vscode.NotebookCellOutputItem.text(problemHtml(problem), "text/html");
    const text = vscode.NotebookCellOutputItem.text(problem.message, "text/plain");
    outputs.push(new vscode.NotebookCellOutput([html, text]));
  }
  if (!evaluation.ok) return outputs;
  for (const value of evaluation.values) {
    const grid = gridHtml(value);
    const whole = evaluation.values.length === 1 ? evaluation.text : value.text;
    const text = vscode.NotebookCellOutputItem.text(whole, "text/plain");
    outputs.push(
      new vscode.NotebookCellOutput(
        grid === undefined ? [text] : [vscode.NotebookCellOutputItem.text(grid, "text/html"), text],
      ),
    );
  }
  return outputs;
}
