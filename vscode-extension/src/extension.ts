// Puts the parts together. Nothing here waits for the server: it starts in the background.

import * as vscode from "vscode";
import { type CommandName, type Handlers, registerCommands } from "./commands";
import { Evaluating } from "./evaluate/evaluate";
import { InlineResults } from "./evaluate/inline";
import { ProgramOutput } from "./evaluate/output";
import { Results } from "./evaluate/results";
import { StatusBar } from "./evaluate/statusBar";
import { TablePanels } from "./grid/panel";
import { ImportPanels } from "./importing/panel";
import { Lifetime } from "./lifetime";
import { Notebooks } from "./notebook/notebook";
import { Repls } from "./repl/repl";
import { LuaServer } from "./server/luaServer";
import { reportIssue } from "./server/report";
import { showsDecorations } from "./settings";
import { TEXT_SCHEME, Texts } from "./texts";
import { Views } from "./views/views";
import { openSample, openWalkthrough } from "./welcome";

/** What `activate` gives: for tests, and for extensions that build on this one. */
export interface Api {
  server: LuaServer;
  inline: InlineResults;
  statusBar: StatusBar;
  views: Views;
  repls: Repls;
}

let running: LuaServer | undefined;

export function activate(context: vscode.ExtensionContext): Api {
  const lifetime = new Lifetime();
  context.subscriptions.push(lifetime);
  const log = lifetime.own(vscode.window.createOutputChannel("Lua Persist", { log: true }));
  const server = lifetime.own(new LuaServer(context, log));
  running = server;
  const results = new Results();
  const texts = new Texts();
  lifetime.own(vscode.workspace.registerTextDocumentContentProvider(TEXT_SCHEME, texts));
  const inline = lifetime.own(new InlineResults(results));
  const output = lifetime.own(new ProgramOutput(server));
  const statusBar = lifetime.own(new StatusBar(server));
  const panels = lifetime.own(new TablePanels(context.extensionUri, server, texts));
  const imports = lifetime.own(new ImportPanels(context.extensionUri, server, panels));
  const views = lifetime.own(new Views(server, panels, imports, texts));
  const repls = lifetime.own(new Repls(server, context.workspaceState));
  const notebooks = lifetime.own(new Notebooks(server));
  lifetime.own(
    server.onEvaluation((evaluation) => {
      if (showsDecorations()) inline.show(evaluation);
      else results.keep(evaluation);
    }),
  );
  lifetime.own(
    vscode.workspace.onDidChangeConfiguration(() => {
      if (!showsDecorations()) inline.clear();
    }),
  );
  const handlers: Handlers<CommandName> = {
    ...new Evaluating(server, inline, results, texts).handlers(),
    ...views.handlers(),
    showOutput: () => output.show(),
    showLog: () => log.show(true),
    showMenu: () => statusBar.showMenu(),
    restartServer: () => server.restart(),
    repairServer: () => server.repair(),
    choosePython: () => server.take("choose-python"),
    reportIssue: () => reportIssue(context, server),
    openRepl: () => repls.open(),
    newNotebook: () => notebooks.create(),
    openWalkthrough: () => openWalkthrough(context),
    openSample: () => openSample(context),
  };
  lifetime.own(registerCommands(handlers));
  void server.start();
  return { server, inline, statusBar, views, repls };
}

export async function deactivate(): Promise<void> {
  await running?.stop();
  running = undefined;
}
