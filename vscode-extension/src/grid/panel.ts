// The table editor: one panel a table, with a page that asks for what it shows.

import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as vscode from "vscode";
import { Lifetime, messageOf } from "../lifetime";
import type { RowsPage, RowsQuery } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { pageHtml } from "./html";
import type { HostMessage, PageRequest, PageRequests, PageState, RequestMessage } from "./messages";

export const PANEL_TYPE = "luaPersist.table";
/** What the page asks for first: a block of its rows. */
const FIRST_ROWS = 100;
const EXPORT_FILTERS = { CSV: ["csv"], JSON: ["json"], "JSON Lines": ["jsonl"] };

type PageHandlers = {
  [K in PageRequest]: (params: PageRequests[K][0]) => Promise<PageRequests[K][1]>;
};

export class TablePanels implements vscode.Disposable, vscode.WebviewPanelSerializer<PageState> {
  private readonly lifetime = new Lifetime();
  private readonly panels = new Map<string, TablePanel>();

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly server: LuaServer,
  ) {
    this.lifetime.own(vscode.window.registerWebviewPanelSerializer(PANEL_TYPE, this));
    this.lifetime.own(
      server.onChanged((change) => {
        for (const panel of this.panels.values()) panel.post({ kind: "changed", change });
      }),
    );
  }

  /** Shows a table, in the panel that it has already if there is one. */
  open(state: PageState): void {
    const open = this.panels.get(keyOf(state));
    if (open !== undefined) {
      open.reveal();
      return;
    }
    const column = vscode.window.activeTextEditor?.viewColumn ?? vscode.ViewColumn.Active;
    const panel = vscode.window.createWebviewPanel(PANEL_TYPE, state.table, column, {
      retainContextWhenHidden: true,
    });
    this.adopt(panel, state);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: PageState): Promise<void> {
    this.adopt(panel, state);
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) panel.dispose();
    this.lifetime.dispose();
  }

  private adopt(webviewPanel: vscode.WebviewPanel, state: PageState): void {
    const panel = new TablePanel(webviewPanel, this.extensionUri, this.server, state);
    this.panels.set(keyOf(state), panel);
    webviewPanel.onDidDispose(() => this.panels.delete(keyOf(state)));
  }
}

function keyOf({ table, uri }: PageState): string {
  return `${uri ?? ""}#${table}`;
}

class TablePanel {
  private readonly handlers: PageHandlers;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    extensionUri: vscode.Uri,
    server: LuaServer,
    state: PageState,
  ) {
    const media = vscode.Uri.joinPath(extensionUri, "dist", "media");
    panel.webview.options = { enableScripts: true, localResourceRoots: [media] };
    panel.iconPath = {
      light: vscode.Uri.joinPath(extensionUri, "media", "table-light.svg"),
      dark: vscode.Uri.joinPath(extensionUri, "media", "table-dark.svg"),
    };
    panel.title = state.table;
    this.handlers = handlersOf(server, state, panel);
    panel.webview.onDidReceiveMessage((message: RequestMessage) => void this.answer(message));
    panel.webview.html = pageHtml(panel.webview, media, state);
  }

  post(message: HostMessage): void {
    void this.panel.webview.postMessage(message);
  }

  reveal(): void {
    this.panel.reveal();
  }

  dispose(): void {
    this.panel.dispose();
  }

  private async answer({ id, name, params }: RequestMessage): Promise<void> {
    try {
      const handler = this.handlers[name] as (params: unknown) => Promise<unknown>;
      this.post({ kind: "answer", id, result: await handler(params) });
    } catch (error) {
      this.post({ kind: "failure", id, message: plain(messageOf(error)) });
    }
  }
}

/** A message of the server without the name of the command that it begins with. */
function plain(message: string): string {
  return message.replace(/^lua-persist\.\w+: /, "");
}

function handlersOf(server: LuaServer, state: PageState, panel: vscode.WebviewPanel): PageHandlers {
  const where = state.uri === undefined ? {} : { uri: state.uri };
  // The first page is fetched while the script loads that will ask for it.
  const first: RowsQuery = { table: state.table, offset: 0, limit: FIRST_ROWS };
  let early: Promise<RowsPage> | undefined = server.call("rows", { ...where, ...first });
  early.catch(() => undefined);
  return {
    rows: (params) => {
      const answer = early;
      early = undefined;
      const isFirst = answer !== undefined && isDeepStrictEqual(params, first);
      return isFirst ? answer : server.call("rows", { ...where, ...params });
    },
    profile: (params) => server.call("profile", { ...where, ...params }),
    explain: (params) => server.call("explain", { ...where, ...params }),
    set: async (params) => {
      await server.call("set", { ...where, ...params });
      return { undo: true };
    },
    change: (params) => server.call("setMany", { ...where, ...params }),
    addRow: async (params) => {
      const made = await server.call("addRow", { ...where, ...params });
      return { path: made.path };
    },
    createIndex: async (params) => {
      await server.call("createIndex", { ...where, ...params });
      return null;
    },
    undo: async () => {
      const { text } = await server.call("undo", where);
      return { text: text ?? "Undone." };
    },
    copy: async ({ text }) => {
      await vscode.env.clipboard.writeText(text);
      return null;
    },
    paste: async () => ({ text: await vscode.env.clipboard.readText() }),
    export: (params) => exportTable(server, { ...where, ...params }),
    title: async ({ table }) => {
      panel.title = table;
      return null;
    },
    show: async ({ text, language }) => {
      const document = await vscode.workspace.openTextDocument({ content: text, language });
      await vscode.window.showTextDocument(document, { preview: true });
      return null;
    },
  };
}

/** Asks for a file and writes the table into it; its name decides the format. */
export async function exportTable(
  server: LuaServer,
  params: PageRequests["export"][0] & { uri?: string },
): Promise<{ path: string | null }> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const name = `${params.table.replaceAll(/\W+/g, "-").replace(/-$/, "")}.csv`;
  const target = await vscode.window.showSaveDialog({
    title: `Export ${params.table}`,
    filters: EXPORT_FILTERS,
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) }),
  });
  if (target === undefined) return { path: null };
  await server.call("export", { ...params, path: target.fsPath });
  return { path: path.basename(target.fsPath) };
}
