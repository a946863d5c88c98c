// The set-up as the user sees it: progress with a cancel button, and problems with next steps.

import * as path from "node:path";
import * as vscode from "vscode";
import { configuredPython, SECTION } from "../settings";
import {
  checkEnvironment,
  ensureEnvironment,
  type Installed,
  installedEnvironment,
  noteUse,
  removeEnvironment,
} from "./environment";
import type { SetupProblem, Step } from "./problems";
import { type Candidate, candidatesOnPath } from "./python";

const PYTHON_EXTENSION = "ms-python.python";
const PYTHON_HOMEPAGE = "https://www.python.org/downloads/";

/** More do not fit into a notification; the menu of the status bar has them all. */
const BUTTONS_MAX = 3;

export const STEP_TITLES: Record<Step, string> = {
  retry: "Try Again",
  "choose-python": "Choose Python…",
  "use-server": "Use Another Server…",
  "settings-proxy": "Proxy Settings",
  log: "Show Log",
  "get-python": "Get Python",
};

/** The environment that the extension manages, as this window sees it. */
export class ManagedServer {
  private readonly storage: string;
  private readonly wheels: string;
  private installing: AbortController | undefined;

  constructor(
    context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    /** Called when an installation begins and ends. */
    private readonly changed: () => void,
  ) {
    this.storage = path.join(context.globalStorageUri.fsPath, "server");
    this.wheels = path.join(context.extensionPath, "dist", "server");
  }

  /** The command that starts the server, after installing it if need be. Throws a `SetupProblem`. */
  async command(): Promise<string[]> {
    const installed =
      (await installedEnvironment(this.storage, this.wheels, configuredPython())) ??
      (await this.install());
    await noteUse(installed, this.storage).catch((error: unknown) => this.log.debug(String(error)));
    return [installed.python, "-I", "-m", "lua_ls_persist", "serve"];
  }

  /** What is wrong with the environment, if something is. */
  async broken(): Promise<string | undefined> {
    const installed = await installedEnvironment(this.storage, this.wheels);
    if (installed === undefined) return "it is incomplete";
    return checkEnvironment(installed, environmentVariables());
  }

  get isInstalling(): boolean {
    return this.installing !== undefined;
  }

  /** Ends an installation that runs: something else is wanted now. */
  cancel(): void {
    this.installing?.abort();
  }

  async remove(): Promise<void> {
    await removeEnvironment(this.storage, this.wheels);
  }

  /** A line about the environment, for reports. */
  async description(): Promise<string> {
    const installed = await installedEnvironment(this.storage, this.wheels).catch(() => undefined);
    return installed === undefined
      ? "not installed"
      : `lua-ls-persist ${installed.version}, ${installed.base} (${installed.source})`;
  }

  private async install(): Promise<Installed> {
    return vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: "Lua Persist: setting up the Lua server (once)",
        cancellable: true,
      },
      async (progress, token) => {
        const abort = new AbortController();
        this.installing = abort;
        this.changed();
        token.onCancellationRequested(() => abort.abort());
        return ensureEnvironment({
          storage: this.storage,
          wheels: this.wheels,
          env: environmentVariables(),
          chosen: configuredPython(),
          candidates,
          progress: (message) => progress.report({ message }),
          log: (text) => this.log.info(text),
          signal: abort.signal,
        }).finally(() => {
          this.installing = undefined;
          this.changed();
        });
      },
    );
  }
}

/** Tells a problem and offers its next steps; resolves with the step that the user took. */
export async function tellProblem(
  problem: SetupProblem,
  log: vscode.LogOutputChannel,
): Promise<Step | undefined> {
  const note = `${problem.message} ${problem.advice}`;
  if (problem.kind === "cancelled") log.info(note);
  else log.error(note);
  if (problem.details !== "") log.error(problem.details);
  const titles = problem.steps.slice(0, BUTTONS_MAX).map((step) => STEP_TITLES[step]);
  const text = `Lua Persist: ${problem.message} ${problem.advice}`;
  const chosen =
    problem.kind === "cancelled"
      ? await vscode.window.showInformationMessage(text, ...titles)
      : await vscode.window.showErrorMessage(text, ...titles);
  return problem.steps.find((step) => STEP_TITLES[step] === chosen);
}

/** Does a next step; true if the server should be started again afterwards. */
export async function takeStep(step: Step, log: vscode.LogOutputChannel): Promise<boolean> {
  switch (step) {
    case "retry":
      return true;
    case "log":
      log.show(true);
      return false;
    case "get-python":
      await vscode.env.openExternal(vscode.Uri.parse(PYTHON_HOMEPAGE));
      return false;
    case "settings-proxy":
      await vscode.commands.executeCommand("workbench.action.openSettings", "http.proxy");
      return false;
    case "use-server":
      await openServerSetting();
      return false;
    case "choose-python":
      return choosePython();
  }
}

/** What belongs to a machine stands, in a window to another machine, apart from the user's own. */
async function openServerSetting(): Promise<void> {
  const name = `${SECTION}.server.command`;
  if (vscode.env.remoteName === undefined) {
    await vscode.commands.executeCommand("workbench.action.openSettings", name);
  } else {
    await vscode.commands.executeCommand("workbench.action.openRemoteSettings", { query: name });
  }
}

/**
 * Asks for the Python that runs the server; true if the server should be started again because the
 * same one was chosen. The change of the setting does that for another one.
 */
export async function choosePython(): Promise<boolean> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: "The Python that runs the Lua server (3.10 or newer)",
      openLabel: "Use This Python",
      canSelectMany: false,
    })) ?? [];
  if (file === undefined) return false;
  const before = configuredPython();
  await vscode.workspace
    .getConfiguration(SECTION)
    .update("python.path", file.fsPath, vscode.ConfigurationTarget.Global);
  return before === file.fsPath;
}

async function candidates(): Promise<Candidate[]> {
  const configured = configuredPython();
  if (configured !== undefined) {
    const source = "the setting luaPersist.python.path";
    return [{ command: configured, args: [], source, chosen: true }];
  }
  const chosen = await chosenInPythonExtension();
  const first: Candidate[] =
    chosen === undefined
      ? []
      : [{ command: chosen, args: [], source: "the Python extension", chosen: false }];
  return [...first, ...candidatesOnPath()];
}

interface PythonApi {
  environments?: { getActiveEnvironmentPath?: () => { path?: string } };
}

/** The interpreter of the Python extension. A folder that is not trusted chooses no program. */
async function chosenInPythonExtension(): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) return undefined;
  const extension = vscode.extensions.getExtension<PythonApi>(PYTHON_EXTENSION);
  if (extension === undefined) return undefined;
  try {
    const api = await extension.activate();
    const found = api.environments?.getActiveEnvironmentPath?.().path;
    return found === undefined || found === "" || found === "python" ? undefined : found;
  } catch {
    return undefined;
  }
}

/** The environment for pip and the server: that of the editor, with its proxy. */
export function environmentVariables(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  // They would make our Python load somebody else's packages.
  delete env.PYTHONHOME;
  delete env.PYTHONPATH;
  const proxy = vscode.workspace.getConfiguration("http").get<string>("proxy") ?? "";
  if (proxy !== "") {
    env.HTTPS_PROXY ??= proxy;
    env.HTTP_PROXY ??= proxy;
  }
  return env;
}
