// The panel of an import: a page that shows what a file would bring, and stores it when told to.

import * as path from "node:path";
import * as vscode from "vscode";
import { type TablePanels, tableIcon } from "../grid/panel";
import { Lifetime, messageOf } from "../lifetime";
import type { FileProblem } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { type Handlers, PageHost, plain } from "../webview/host";
import { importBody } from "./html";
import type { ImportNews, ImportOutcome, ImportRequests, ImportState } from "./messages";

const PANEL_TYPE = "luaPersist.import";

export class ImportPanels implements vscode.Disposable, vscode.WebviewPanelSerializer<ImportState> {
  private readonly lifetime = new Lifetime();

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly server: LuaServer,
    private readonly tables: TablePanels,
  ) {
    this.lifetime.own(vscode.window.registerWebviewPanelSerializer(PANEL_TYPE, this));
  }

  open(state: ImportState): void {
    const title = `Import ${path.basename(state.path)}`;
    const options = { retainContextWhenHidden: true };
    const column = vscode.ViewColumn.Active;
    this.adopt(vscode.window.createWebviewPanel(PANEL_TYPE, title, column, options), state);
  }

  async deserializeWebviewPanel(
    panel: vscode.WebviewPanel,
    state: ImportState | undefined,
  ): Promise<void> {
    // A window that was closed before the page was there has nothing to tell.
    if (state?.path === undefined) panel.dispose();
    else this.adopt(panel, state);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private adopt(panel: vscode.WebviewPanel, state: ImportState): void {
    const file = path.basename(state.path);
    panel.iconPath = tableIcon(this.extensionUri);
    const running = new Running();
    const host: PageHost<ImportRequests, ImportNews> = new PageHost(
      panel.webview,
      this.extensionUri,
      {
        title: panel.title,
        state,
        style: "import.css",
        script: "import.js",
        body: importBody(file, state.table),
      },
      this.handlers(state, running, (news) => host.tell(news)),
    );
    panel.onDidDispose(() => running.cancel());
    this.lifetime.own(panel);
  }

  private handlers(
    { path: file, uri }: ImportState,
    running: Running,
    tell: (news: ImportNews) => void,
  ): Handlers<ImportRequests> {
    const { server } = this;
    const folder = uri === undefined ? {} : { uri };
    return {
      preview: (choices) => server.call("previewImport", { ...folder, ...choices, path: file }),
      run: ({ table, choices }) =>
        running.run(async (token): Promise<ImportOutcome> => {
          const params = { ...folder, ...choices, path: file, table };
          const evaluation = await server.callWithProgress("import", params, token, (told) =>
            tell({ message: told.message ?? "", percentage: told.percentage ?? null }),
          );
          if (evaluation.ok) return { rows: evaluation.values[0]?.text ?? "0" };
          return { problem: problemOf(evaluation.problems[0]?.message ?? "It failed.", file) };
        }),
      cancel: async () => {
        running.cancel();
        return null;
      },
      undo: async () => {
        const { text } = await server.call("undo", folder);
        return { text: text ?? "Undone." };
      },
      openTable: async ({ table }) => {
        this.tables.open({ table, ...folder });
        return null;
      },
      openFile: async ({ line, column }) => {
        const at = new vscode.Position(
          Math.max((line ?? 1) - 1, 0),
          Math.max((column ?? 1) - 1, 0),
        );
        await vscode.window.showTextDocument(vscode.Uri.file(file), {
          selection: new vscode.Range(at, at),
          viewColumn: vscode.ViewColumn.Beside,
        });
        return null;
      },
    };
  }
}

/** The import that runs, if one does. */
class Running {
  private source: vscode.CancellationTokenSource | undefined;

  async run(
    action: (token: vscode.CancellationToken) => Promise<ImportOutcome>,
  ): Promise<ImportOutcome> {
    const source = new vscode.CancellationTokenSource();
    this.source = source;
    try {
      return await action(source.token);
    } catch (error) {
      const cancelled = source.token.isCancellationRequested;
      const message = cancelled ? "The import was cancelled." : plain(messageOf(error));
      return { problem: { message, line: null, column: null } };
    } finally {
      this.source = undefined;
      source.dispose();
    }
  }

  cancel(): void {
    this.source?.cancel();
  }
}

/** A message that begins with the place in the file. */
function problemOf(message: string, file: string): FileProblem {
  const place = message.startsWith(`${file}:`) ? message.slice(file.length) : "";
  const found = /^:(\d+)(?::(\d+))?: /.exec(place);
  if (found === null) return { message, line: null, column: null };
  const [start, line, column] = found;
  return {
    message: place.slice(start.length),
    line: Number(line),
    column: column === undefined ? null : Number(column),
  };
}
