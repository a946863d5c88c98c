// One item on the left: what the session does. A click opens a menu, and while something is
// evaluated it interrupts that.

import * as vscode from "vscode";
import { COMMANDS } from "../commands";
import { MANAGE_TRUST } from "../failures";
import { Lifetime } from "../lifetime";
import type { SessionStatus } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import type { Step } from "../server/problems";
import { STEP_TITLES } from "../server/setup";

const TICK_MS = 500;

interface MenuItem extends vscode.QuickPickItem {
  command?: string;
  step?: Step;
}

export class StatusBar implements vscode.Disposable {
  private readonly lifetime = new Lifetime();
  private readonly item: vscode.StatusBarItem;
  private session: SessionStatus | undefined;
  private since = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly server: LuaServer) {
    this.item = this.lifetime.own(
      vscode.window.createStatusBarItem("luaPersist.status", vscode.StatusBarAlignment.Left, 10),
    );
    this.item.name = "Lua Persist";
    this.lifetime.own(server.onState(() => this.update()));
    this.lifetime.own(
      server.onStatus((status) => {
        if (status.state === "evaluating" && this.session?.state !== "evaluating") {
          this.since = Date.now();
        }
        this.session = status;
        this.update();
      }),
    );
    this.lifetime.own(vscode.window.onDidChangeActiveTextEditor(() => this.update()));
    this.lifetime.own(vscode.workspace.onDidGrantWorkspaceTrust(() => this.update()));
    this.lifetime.own(new vscode.Disposable(() => clearInterval(this.timer)));
    this.update();
  }

  /** What the item says, for tests. */
  get text(): string {
    return this.item.text;
  }

  get command(): string {
    return String(this.item.command);
  }

  async showMenu(): Promise<void> {
    const items: MenuItem[] = [
      ...this.wayOut(),
      { label: "Evaluate", kind: vscode.QuickPickItemKind.Separator },
      ...(isLua() ? [{ label: "$(run-all) Evaluate File", command: COMMANDS.evaluateFile }] : []),
      ...(this.session?.state === "evaluating"
        ? [{ label: "$(debug-stop) Interrupt Evaluation", command: COMMANDS.interrupt }]
        : []),
      { label: "$(discard) Undo Last Evaluation", command: COMMANDS.undo },
      { label: "$(redo) Redo Evaluation", command: COMMANDS.redo },
      { label: "$(clear-all) Clear Inline Results", command: COMMANDS.clearResults },
      { label: "Session", kind: vscode.QuickPickItemKind.Separator },
      { label: "$(debug-restart) Restart Session", command: COMMANDS.restartSession },
      { label: "$(trash) Reset Session…", command: COMMANDS.resetSession },
      { label: "Show", kind: vscode.QuickPickItemKind.Separator },
      { label: "$(terminal) Open REPL", command: COMMANDS.openRepl },
      { label: "$(table) Open Table…", command: COMMANDS.openTable },
      { label: "$(output) Show Output", command: COMMANDS.showOutput },
      { label: "$(list-flat) Show Log", command: COMMANDS.showLog },
      { label: "Server", kind: vscode.QuickPickItemKind.Separator },
      { label: "$(refresh) Restart Server", command: COMMANDS.restartServer },
      { label: "$(tools) Repair Server", command: COMMANDS.repairServer },
      { label: "$(file-binary) Choose Python…", command: COMMANDS.choosePython },
      { label: "$(bug) Report Issue…", command: COMMANDS.reportIssue },
    ];
    const chosen = await vscode.window.showQuickPick(items, {
      title: "Lua Persist",
      placeHolder: this.headline(),
    });
    if (chosen?.command !== undefined) await vscode.commands.executeCommand(chosen.command);
    if (chosen?.step !== undefined) await this.server.take(chosen.step);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** What leads out of where nothing can be evaluated, first in the menu. */
  private wayOut(): MenuItem[] {
    const items: MenuItem[] = [];
    if (!vscode.workspace.isTrusted) {
      items.push({ label: "$(workspace-unknown) Manage Workspace Trust", command: MANAGE_TRUST });
    }
    if (this.server.state === "failed") {
      for (const step of this.server.lastProblem?.steps ?? []) {
        items.push({ label: `$(lightbulb) ${STEP_TITLES[step]}`, step });
      }
    }
    return items;
  }

  private headline(): string {
    if (this.server.state === "failed" && this.server.lastProblem !== undefined) {
      return this.server.lastProblem.message;
    }
    return this.session?.started ?? this.server.description;
  }

  private update(): void {
    const evaluating = this.server.state === "running" && this.session?.state === "evaluating";
    clearInterval(this.timer);
    if (evaluating) this.timer = setInterval(() => this.render(), TICK_MS);
    this.render();
    if (isLua() || this.server.state !== "stopped" || this.session !== undefined) this.item.show();
    else this.item.hide();
  }

  private render(): void {
    const { item } = this;
    item.backgroundColor = undefined;
    item.command = COMMANDS.showMenu;
    const started = this.session?.started;
    item.tooltip = [this.server.description, started].filter((line) => !!line).join("\n");
    if (this.server.state === "starting") {
      const isInstalling = this.server.isInstalling;
      item.text = isInstalling ? "$(loading~spin) Lua: setting up" : "$(loading~spin) Lua";
      item.tooltip = isInstalling
        ? "The Lua server is being installed. The notifications (the bell at the right) tell how far it is."
        : "The Lua server starts";
      return;
    }
    if (this.server.state === "failed") {
      item.text = "$(error) Lua";
      item.tooltip = this.server.lastProblem?.message ?? "The Lua server does not run";
      item.backgroundColor = new vscode.ThemeColor("statusBarItem.errorBackground");
      return;
    }
    if (this.server.state === "stopped") {
      item.text = "$(circle-slash) Lua";
      item.tooltip = "The Lua server is stopped";
      return;
    }
    switch (vscode.workspace.isTrusted ? this.session?.state : "untrusted") {
      case "evaluating": {
        const seconds = ((Date.now() - this.since) / 1000).toFixed(1);
        item.text = `$(sync~spin) Lua ${seconds} s`;
        item.tooltip = `Evaluating ${this.session?.name ?? ""}. Click to interrupt.`;
        item.command = COMMANDS.interrupt;
        return;
      }
      case "untrusted":
        item.text = "$(workspace-untrusted) Lua";
        item.tooltip =
          "Nothing is evaluated in a workspace that is not trusted. Click to change that.";
        return;
      case "failed":
        item.text = "$(warning) Lua";
        item.tooltip = this.session?.message ?? "The session failed";
        item.backgroundColor = new vscode.ThemeColor("statusBarItem.warningBackground");
        return;
      default:
        item.text = "$(database) Lua";
    }
  }
}

function isLua(): boolean {
  return vscode.window.activeTextEditor?.document.languageId === "lua";
}
