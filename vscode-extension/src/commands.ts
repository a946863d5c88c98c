// The one table of the extension's commands. Titles, keys and menus are in package.json, which a test
// compares with this table. The server's commands have other ids (lua-persist.*): a client registers
// those by itself, and an id that is registered twice breaks the start.

import * as vscode from "vscode";

export const COMMANDS = {
  evaluate: "luaPersist.evaluate",
  evaluateAndMove: "luaPersist.evaluateAndMove",
  evaluateTopLevelForm: "luaPersist.evaluateTopLevelForm",
  evaluateLine: "luaPersist.evaluateLine",
  evaluateToCursor: "luaPersist.evaluateToCursor",
  evaluateFile: "luaPersist.evaluateFile",
  evaluateToComment: "luaPersist.evaluateToComment",
  evaluateExamples: "luaPersist.evaluateExamples",
  interrupt: "luaPersist.interrupt",
  clearResults: "luaPersist.clearResults",
  copyLastResult: "luaPersist.copyLastResult",
  copyResult: "luaPersist.copyResult",
  openResult: "luaPersist.openResult",
  undo: "luaPersist.undo",
  redo: "luaPersist.redo",
  restartSession: "luaPersist.restartSession",
  resetSession: "luaPersist.resetSession",
  showOutput: "luaPersist.showOutput",
  showLog: "luaPersist.showLog",
  showMenu: "luaPersist.showMenu",
  restartServer: "luaPersist.restartServer",
  repairServer: "luaPersist.repairServer",
  choosePython: "luaPersist.choosePython",
  reportIssue: "luaPersist.reportIssue",
  openWalkthrough: "luaPersist.openWalkthrough",
  openSample: "luaPersist.openSample",
  refreshViews: "luaPersist.refreshViews",
  loadMore: "luaPersist.loadMore",
  filterTables: "luaPersist.filterTables",
  filterFunctions: "luaPersist.filterFunctions",
  filterGlobals: "luaPersist.filterGlobals",
  filterHistory: "luaPersist.filterHistory",
  openTable: "luaPersist.openTable",
  exportTable: "luaPersist.exportTable",
  importTable: "luaPersist.importTable",
  createIndex: "luaPersist.createIndex",
  dropTable: "luaPersist.dropTable",
  dropIndex: "luaPersist.dropIndex",
  showSchema: "luaPersist.showSchema",
  setValue: "luaPersist.setValue",
  deleteValue: "luaPersist.deleteValue",
  copyValue: "luaPersist.copyValue",
  copyPath: "luaPersist.copyPath",
  goToFunction: "luaPersist.goToFunction",
  showStoredSource: "luaPersist.showStoredSource",
  callFunction: "luaPersist.callFunction",
  updateFunction: "luaPersist.updateFunction",
  deleteFunction: "luaPersist.deleteFunction",
  showChanges: "luaPersist.showChanges",
  undoTo: "luaPersist.undoTo",
  openRepl: "luaPersist.openRepl",
  newNotebook: "luaPersist.newNotebook",
} as const;

export type CommandName = keyof typeof COMMANDS;
export type Handlers<K extends CommandName> = Record<K, (...args: never[]) => unknown>;

/** Registers every command of the table: one without a handler does not compile. */
export function registerCommands(handlers: Handlers<CommandName>): vscode.Disposable {
  const registered = (Object.keys(COMMANDS) as CommandName[]).map((name) =>
    vscode.commands.registerCommand(
      COMMANDS[name],
      handlers[name] as (...args: unknown[]) => unknown,
    ),
  );
  return vscode.Disposable.from(...registered);
}
