// The table editor: one panel a table, with a page that asks for what it shows.

import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as vscode from "vscode";
import { placeText } from "../evaluate/results";
import type { Place } from "../folder";
import { Lifetime } from "../lifetime";
import type { ChangedNotice, RowsPage, RowsQuery } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import type { Texts } from "../texts";
import { type Handlers, PageHost } from "../webview/host";
import { gridBody } from "./html";
import type { Exported, PageRequests, PageState } from "./messages";

export const PANEL_TYPE = "luaPersist.table";
/** What the page asks for first: a block of its rows. */
const FIRST_ROWS = 100;
/** A tab is as wide as its title. */
const TITLE_MAX = 32;
const EXPORT_FILTERS = { CSV: ["csv"], JSON: ["json"], "JSON Lines": ["jsonl"] };

export class TablePanels implements vscode.Disposable, vscode.WebviewPanelSerializer<PageState> {
  private readonly lifetime = new Lifetime();
  private readonly panels = new Map<string, TablePanel>();

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly server: LuaServer,
    private readonly texts: Texts,
  ) {
    this.lifetime.own(vscode.window.registerWebviewPanelSerializer(PANEL_TYPE, this));
    this.lifetime.own(
      server.onChanged((change) => {
        for (const panel of this.panels.values()) panel.tell(change);
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
    const panel = vscode.window.createWebviewPanel(PANEL_TYPE, shortened(state.table), column, {
      retainContextWhenHidden: true,
    });
    this.adopt(panel, state);
  }

  async deserializeWebviewPanel(
    panel: vscode.WebviewPanel,
    state: PageState | undefined,
  ): Promise<void> {
    // A window that was closed before the page was there has nothing to tell.
    if (state?.table === undefined) panel.dispose();
    else this.adopt(panel, state);
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) panel.dispose();
    this.lifetime.dispose();
  }

  private adopt(webviewPanel: vscode.WebviewPanel, state: PageState): void {
    const panel = new TablePanel(webviewPanel, this.extensionUri, this.server, this.texts, state);
    this.panels.set(keyOf(state), panel);
    webviewPanel.onDidDispose(() => this.panels.delete(keyOf(state)));
  }
}

function keyOf({ table, uri }: PageState): string {
  return `${uri ?? ""}#${table}`;
}

class TablePanel {
  private readonly host: PageHost<PageRequests, ChangedNotice>;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    extensionUri: vscode.Uri,
    server: LuaServer,
    texts: Texts,
    state: PageState,
  ) {
    panel.iconPath = tableIcon(extensionUri);
    panel.title = shortened(state.table);
    this.host = new PageHost<PageRequests, ChangedNotice>(
      panel.webview,
      extensionUri,
      {
        title: state.table,
        state,
        style: "grid.css",
        script: "grid.js",
        body: gridBody(state.table),
      },
      handlersOf(server, texts, state, panel),
    );
  }

  tell(change: ChangedNotice): void {
    this.host.tell(change);
  }

  reveal(): void {
    this.panel.reveal();
  }

  dispose(): void {
    this.panel.dispose();
  }
}

export function tableIcon(extensionUri: vscode.Uri): { light: vscode.Uri; dark: vscode.Uri } {
  return {
    light: vscode.Uri.joinPath(extensionUri, "media", "table-light.svg"),
    dark: vscode.Uri.joinPath(extensionUri, "media", "table-dark.svg"),
  };
}

function handlersOf(
  server: LuaServer,
  texts: Texts,
  state: PageState,
  panel: vscode.WebviewPanel,
): Handlers<PageRequests> {
  const where = state.uri === undefined ? {} : { uri: state.uri };
  // The first page is fetched while the script loads that will ask for it.
  const first: RowsQuery = { table: state.table, offset: 0, limit: FIRST_ROWS };
  let early: Promise<RowsPage> | undefined =
    state.view === undefined ? server.call("rows", { ...where, ...first }) : undefined;
  early?.catch(() => undefined);
  return {
    rows: async (params) => {
      const answer = early;
      early = undefined;
      const isFirst = answer !== undefined && isDeepStrictEqual(params, first);
      const page = await (isFirst ? answer : server.call("rows", { ...where, ...params }));
      return { ...page, changeable: vscode.workspace.isTrusted && !page.read_only };
    },
    profile: (params) => server.call("profile", { ...where, ...params }),
    points: (params) => server.call("points", { ...where, ...params }),
    aggregate: (params) => server.call("aggregate", { ...where, ...params }),
    indexes: (params) => server.call("indexes", { ...where, ...params }),
    dropIndex: async (params) => {
      await server.call("dropIndex", { ...where, ...params });
      return null;
    },
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
    whole: (params) => server.call("whole", { ...where, ...params }),
    title: async ({ table }) => {
      panel.title = shortened(table);
      return null;
    },
    show: async ({ name, text }) => {
      await texts.show(name, text, { viewColumn: vscode.ViewColumn.Beside });
      return null;
    },
    source: async ({ path: place }) => {
      await showStoredSource(server, texts, place, where);
      return null;
    },
  };
}

/** Asks for a file and writes the table into it; its name decides the format. */
export async function exportTable(
  server: LuaServer,
  params: PageRequests["export"][0] & { uri?: string },
): Promise<Exported> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const name = `${params.table.replaceAll(/\W+/g, "-").replace(/-$/, "")}.csv`;
  const target = await vscode.window.showSaveDialog({
    title: `Export ${params.table}`,
    filters: EXPORT_FILTERS,
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) }),
  });
  if (target === undefined) return { path: null, rows: 0, left_out_count: 0 };
  const { rows, left_out_count } = await server.call("export", { ...params, path: target.fsPath });
  return { path: path.basename(target.fsPath), rows, left_out_count };
}

/** The source of a stored function as it is kept, in an editor of its own. */
export async function showStoredSource(
  server: LuaServer,
  texts: Texts,
  path: string,
  folder: Place,
): Promise<void> {
  const { text, chunk, line } = await server.call("function", { ...folder, path });
  const head = `-- ${path}, as it is stored (${placeText({ chunk, line })})`;
  await texts.show(`${path} (stored).lua`, `${head}\n${text}\n`);
}

/** Of a long path the end, which tells more. */
function shortened(table: string): string {
  return table.length <= TITLE_MAX ? table : `…${table.slice(1 - TITLE_MAX)}`;
}
