// The connection to the language server: started without being waited for, restarted, repaired.
// Everything that talks to the server does so through `LuaServer.call`.

import { type ChildProcess, spawn } from "node:child_process";
import * as vscode from "vscode";
import type { ErrorHandler, LanguageClient } from "vscode-languageclient/node";
import { Lifetime, messageOf } from "../lifetime";
import {
  type ChangedNotice,
  COMMAND_PREFIX,
  type Evaluation,
  NOTIFICATIONS,
  type OutputNotice,
  type ParamsOf,
  type ResultOf,
  type ServerCommand,
  type SessionStatus,
} from "../protocol";
import { configuredPython, configuredServer, SECTION, SERVER_SETTINGS } from "../settings";
import { clientOptions, type Library, OwnCapabilities, quiet } from "./client";
import { problem, SetupProblem, type Step } from "./problems";
import { environmentVariables, ManagedServer, takeStep, tellProblem } from "./setup";

const EXECUTE_COMMAND = "workspace/executeCommand";
const STOP_TIMEOUT_MS = 3_000;
const CLEANED_UP_MS = 100;
const RESTARTS_MAX = 3;
const RESTARTS_WITHIN_MS = 3 * 60_000;

export type ServerState = "stopped" | "starting" | "running" | "failed";

/** The server has no such command: it is older than the extension. */
export class MissingCommandError extends Error {
  constructor(
    readonly command: string,
    server: string,
  ) {
    super(
      `${server} has no command ${command}: it is older than this extension. Update the server.`,
    );
    this.name = "MissingCommandError";
  }
}

const ANYTHING: ChangedNotice = {
  tables: null,
  functions: true,
  history: true,
  globals: true,
};

export class LuaServer implements vscode.Disposable {
  private readonly lifetime = new Lifetime();
  private readonly evaluationEmitter = this.lifetime.own(new vscode.EventEmitter<Evaluation>());
  private readonly outputEmitter = this.lifetime.own(new vscode.EventEmitter<OutputNotice>());
  private readonly statusEmitter = this.lifetime.own(new vscode.EventEmitter<SessionStatus>());
  private readonly changedEmitter = this.lifetime.own(new vscode.EventEmitter<ChangedNotice>());
  private readonly stateEmitter = this.lifetime.own(new vscode.EventEmitter<ServerState>());

  readonly onEvaluation = this.evaluationEmitter.event;
  readonly onOutput = this.outputEmitter.event;
  readonly onStatus = this.statusEmitter.event;
  readonly onChanged = this.changedEmitter.event;
  readonly onState = this.stateEmitter.event;

  private client: LanguageClient | undefined;
  private current: ServerState = "stopped";
  private starting: Promise<void> | undefined;
  private commandLine: string[] = [];
  private child: ChildProcess | undefined;
  private choice = chosenProgram();
  private crashes: number[] = [];
  private wanted = true;
  private progressCount = 0;
  /** What the last problem of the set-up was, for tests and reports. */
  lastProblem: SetupProblem | undefined;

  private readonly managed: ManagedServer;

  constructor(
    context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.managed = new ManagedServer(context, log, () => this.stateEmitter.fire(this.current));
    this.lifetime.own(
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (!SERVER_SETTINGS.some((name) => change.affectsConfiguration(name))) return;
        // A folder that is not trusted can change these settings, without effect.
        const choice = chosenProgram();
        if (choice === this.choice) return;
        this.choice = choice;
        void this.restart();
      }),
    );
    this.lifetime.own(
      vscode.workspace.onDidGrantWorkspaceTrust(async () => {
        await this.client?.sendNotification(NOTIFICATIONS.trusted, { trusted: true });
        // The folder's settings may name another file, and what was only shown may be changed.
        this.changedEmitter.fire(ANYTHING);
      }),
    );
  }

  get state(): ServerState {
    return this.current;
  }

  /** Whether the server is being installed. */
  get isInstalling(): boolean {
    return this.managed.isInstalling;
  }

  /** Name and version of the running server. */
  get description(): string {
    const info = this.client?.initializeResult?.serverInfo;
    return info === undefined ? "the server" : `${info.name} ${info.version ?? ""}`.trim();
  }

  /** The process that runs, for tests that end it. */
  get processId(): number | undefined {
    return this.child?.pid;
  }

  /** Whether the running server has a command. */
  has(name: ServerCommand): boolean {
    const commands = this.client?.initializeResult?.capabilities.executeCommandProvider?.commands;
    return commands?.includes(COMMAND_PREFIX + name) ?? false;
  }

  /** Starts the server; problems are told to the user. Resolves when it runs or has failed. */
  start(): Promise<void> {
    this.wanted = true;
    this.starting ??= this.startAndTell().finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  async stop(): Promise<void> {
    this.wanted = false;
    const client = this.client;
    this.client = undefined;
    if (client !== undefined) {
      await client.dispose(STOP_TIMEOUT_MS).catch((error: unknown) => {
        this.log.warn(`The server did not stop in time: ${messageOf(error)}`);
      });
    }
    this.become("stopped");
  }

  async restart(): Promise<void> {
    this.wanted = false; // A cancelled installation is not worth a message now.
    this.managed.cancel();
    await this.starting?.catch(() => undefined);
    await this.stop();
    this.crashes = [];
    await this.start();
  }

  /** Installs the managed server anew. */
  async repair(): Promise<void> {
    await this.starting?.catch(() => undefined);
    await this.stop();
    await this.managed.remove();
    await this.start();
  }

  /** Does what a problem of the set-up offers as a next step. */
  async take(step: Step, of = this.lastProblem): Promise<void> {
    if (!(await takeStep(step, this.log))) return;
    if (of?.kind === "server-broken" && configuredServer() === undefined) await this.repair();
    else await this.restart();
  }

  /** Runs a command of the server, waiting for its start. */
  async call<K extends ServerCommand>(
    name: K,
    params: ParamsOf<K>,
    token?: vscode.CancellationToken,
  ): Promise<ResultOf<K>> {
    const client = await this.running();
    if (!this.has(name)) throw new MissingCommandError(name, this.description);
    const request = { command: COMMAND_PREFIX + name, arguments: [params] };
    // An undefined token would count as a second parameter.
    const result: unknown = await (token === undefined
      ? client.sendRequest(EXECUTE_COMMAND, request)
      : client.sendRequest(EXECUTE_COMMAND, request, token));
    return result as ResultOf<K>;
  }

  /** The same for what takes long: hears how far it has come. */
  async callWithProgress<K extends ServerCommand>(
    name: K,
    params: ParamsOf<K>,
    token: vscode.CancellationToken,
    onProgress: (told: { message?: string; percentage?: number }) => void,
  ): Promise<ResultOf<K>> {
    const client = await this.running();
    const { WorkDoneProgress } = await import("vscode-languageclient/node");
    this.progressCount += 1;
    const workDoneToken = `lua-persist-extension-${this.progressCount}`;
    const listening = client.onProgress(WorkDoneProgress.type, workDoneToken, (told) => {
      if (told.kind !== "end") onProgress(told);
    });
    try {
      const request = { command: COMMAND_PREFIX + name, arguments: [params], workDoneToken };
      return (await client.sendRequest(EXECUTE_COMMAND, request, token)) as ResultOf<K>;
    } finally {
      listening.dispose();
    }
  }

  /** Versions and places, for a report. */
  async report(): Promise<string> {
    return [
      `Server: ${this.current === "running" ? this.description : this.current}`,
      `Command: ${this.commandLine.join(" ") || "none"}`,
      `Managed environment: ${await this.managed.description()}`,
    ].join("\n");
  }

  dispose(): void {
    void this.stop();
    this.lifetime.dispose();
  }

  private async running(): Promise<LanguageClient> {
    if (this.client === undefined || this.starting !== undefined) await this.start();
    if (this.client === undefined || this.current !== "running") {
      throw new Error(this.lastProblem?.message ?? "The Lua server does not run.");
    }
    return this.client;
  }

  private async startAndTell(): Promise<void> {
    if (this.client !== undefined) return;
    this.become("starting");
    try {
      await this.startClient();
      this.lastProblem = undefined;
    } catch (error) {
      this.become("failed");
      if (!this.wanted) return;
      const told =
        error instanceof SetupProblem ? error : problem("server-broken", messageOf(error));
      this.lastProblem = told;
      // Not waited for: whoever wants the server learns at once that there is none.
      void this.tell(told);
    }
  }

  private async tell(told: SetupProblem): Promise<void> {
    const step = await tellProblem(told, this.log);
    if (step !== undefined) await this.take(step, told);
  }

  private async startClient(): Promise<void> {
    const configured = configuredServer();
    this.commandLine = configured ?? (await this.managed.command());
    try {
      await this.connect();
    } catch (error) {
      if (configured !== undefined) {
        if (!(error instanceof SetupProblem) || error.kind !== "server-broken") throw error;
        const shown = configured.join(" ");
        throw problem("no-server", `${shown} is not a working server.`, error.details);
      }
      const broken = await this.managed.broken();
      if (broken === undefined) throw error;
      this.log.warn(`The environment is broken and made anew: ${broken}`);
      await this.managed.remove();
      this.commandLine = await this.managed.command();
      await this.connect();
    }
  }

  private async connect(): Promise<void> {
    // To load the library takes longer than all that activation does: the editor goes on first.
    await new Promise((later) => setImmediate(later));
    const library = await import("vscode-languageclient/node");
    const client = new (quiet(library))(
      SECTION,
      "Lua Persist",
      () => this.spawnServer(),
      clientOptions(library, this.log, this.errorHandler(library)),
    );
    client.registerFeature(new OwnCapabilities());
    client.onNotification(NOTIFICATIONS.evaluation, (data: Evaluation) =>
      this.evaluationEmitter.fire(data),
    );
    client.onNotification(NOTIFICATIONS.output, (data: OutputNotice) =>
      this.outputEmitter.fire(data),
    );
    client.onNotification(NOTIFICATIONS.status, (data: SessionStatus) =>
      this.statusEmitter.fire(data),
    );
    client.onNotification(NOTIFICATIONS.changed, (data: ChangedNotice) =>
      this.changedEmitter.fire(data),
    );
    try {
      await client.start();
    } catch (error) {
      await client.dispose(STOP_TIMEOUT_MS).catch(() => undefined);
      if (error instanceof SetupProblem) throw error;
      throw problem("server-broken", "The Lua server could not be started.", messageOf(error));
    }
    if (!this.wanted) {
      await client.dispose(STOP_TIMEOUT_MS).catch(() => undefined);
      return;
    }
    this.client = client;
    this.become("running");
  }

  private spawnServer(): Promise<ChildProcess> {
    const [program = "", ...args] = this.commandLine;
    this.log.info(`Starting ${this.commandLine.join(" ")}`);
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
        env: configuredServer() === undefined ? environmentVariables() : process.env,
        windowsHide: true,
      });
      child.once("spawn", () => {
        this.child = child;
        resolve(child);
      });
      child.once("error", (error: NodeJS.ErrnoException) => {
        const why = error.code ?? error.message;
        reject(problem("no-server", `${program} cannot be started (${why}).`, String(error.stack)));
      });
    });
  }

  private errorHandler({ CloseAction, ErrorAction }: Library): ErrorHandler {
    return {
      error: () => ({ action: ErrorAction.Continue }),
      closed: () => {
        if (this.current !== "running") return { action: CloseAction.DoNotRestart, handled: true };
        const now = Date.now();
        this.crashes = [...this.crashes.filter((at) => now - at < RESTARTS_WITHIN_MS), now];
        this.client = undefined;
        this.become("failed");
        if (this.crashes.length <= RESTARTS_MAX) {
          this.log.warn("The server ended unexpectedly and is started again.");
          // The old client takes back what it has registered when this function has returned.
          setTimeout(() => this.wanted && void this.start(), CLEANED_UP_MS);
        } else {
          this.lastProblem = problem("server-broken", "The server ended several times.");
          void this.tell(this.lastProblem);
        }
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }

  private become(state: ServerState): void {
    if (this.current === state) return;
    this.current = state;
    this.stateEmitter.fire(state);
  }
}

/** What the settings say about the program to start, to be compared. */
function chosenProgram(): string {
  return JSON.stringify([configuredServer(), configuredPython()]);
}
