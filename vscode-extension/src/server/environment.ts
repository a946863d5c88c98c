// The server's private Python environment: one folder per wheel, made once, by one window at a time.
// Knows no VS Code: progress, candidates and log come from outside.

import { createHash } from "node:crypto";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import { Lock } from "./lock";
import { fileProblem, installProblem, problem, SetupProblem } from "./problems";
import { run } from "./processes";
import { type Candidate, findPython, type Python } from "./python";

const MARKER = "installed.json";
const FOLDER_PREFIX = "server-";
const HASH_CHARACTERS = 12;
const CHECK_TIMEOUT_MS = 30_000;
/** Everything is loaded, for the server loads most of itself when it is needed. */
const CHECK = [
  "import importlib, pkgutil, zstandard, lua_ls_persist",
  "for module in pkgutil.walk_packages(lua_ls_persist.__path__, 'lua_ls_persist.'):",
  "    if not module.name.endswith('.__main__'): importlib.import_module(module.name)",
].join("\n");
/** An editor window that runs an older version may stay open that long. */
const UNUSED_MS = 14 * 24 * 3600_000;

export interface Installed {
  /** The environment's own Python. */
  python: string;
  version: string;
  /** Which Python it was made with, and who chose that. */
  base: string;
  source: string;
  /** The Python that a setting named. */
  chosen?: string;
}

export interface SetupHost {
  /** Where environments lie; nothing else is in that folder. */
  storage: string;
  /** The folder with the bundled wheel. */
  wheels: string;
  env: NodeJS.ProcessEnv;
  /** The Python that a setting names: an environment that was made with another one is replaced. */
  chosen: string | undefined;
  candidates(): Promise<Candidate[]>;
  progress(text: string): void;
  log(text: string): void;
  signal: AbortSignal;
}

/**
 * The environment of the bundled wheel, if it is there and whole as far as files tell; with
 * `chosen`, if it was made with that Python.
 */
export async function installedEnvironment(
  storage: string,
  wheels: string,
  chosen?: string,
): Promise<Installed | undefined> {
  const wheel = await bundledWheel(wheels);
  return readMarker(path.join(storage, FOLDER_PREFIX + (await hashOf(wheel))), chosen);
}

/** The environment of the bundled wheel, made if need be. Throws a `SetupProblem`. */
export async function ensureEnvironment(host: SetupHost): Promise<Installed> {
  const wheel = await bundledWheel(host.wheels);
  const folder = path.join(host.storage, FOLDER_PREFIX + (await hashOf(wheel)));
  const there = await readMarker(folder, host.chosen);
  if (there !== undefined) return there;
  try {
    await fs.mkdir(host.storage, { recursive: true });
  } catch (error) {
    throw fileProblem(error as NodeJS.ErrnoException, host.storage);
  }
  const lock = new Lock(path.join(host.storage, "setup.lock"));
  const waited = await lock.take(host.signal, () =>
    host.progress("waiting for another window that sets up the server"),
  );
  if (!waited) throw problem("cancelled", "The set-up was cancelled.");
  try {
    return (await readMarker(folder, host.chosen)) ?? (await installWhole(host, wheel, folder));
  } catch (error) {
    if (error instanceof SetupProblem) throw error;
    throw fileProblem(error as NodeJS.ErrnoException, host.storage);
  } finally {
    await lock.release();
  }
}

/** Removes the environment of the bundled wheel, so that the next start makes it anew. */
export async function removeEnvironment(storage: string, wheels: string): Promise<void> {
  const wheel = await bundledWheel(wheels);
  const folder = path.join(storage, FOLDER_PREFIX + (await hashOf(wheel)));
  await fs.rm(path.join(folder, MARKER), { force: true });
  await removeFolder(folder);
}

/** Whether the environment can load the server; what it said if not. */
export async function checkEnvironment(
  installed: Installed,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const result = await run(installed.python, ["-I", "-c", CHECK], {
    env,
    timeoutMs: CHECK_TIMEOUT_MS,
  });
  return result.code === 0 ? undefined : result.output || result.startError || "it does not run";
}

/** Installs, and leaves nothing behind that is not whole. */
async function installWhole(host: SetupHost, wheel: string, folder: string): Promise<Installed> {
  host.progress("looking for Python");
  const python = await findPython(await host.candidates(), host.env, host.signal);
  host.log(`Python ${python.version}: ${python.executable} (${python.source})`);
  await removeOthers(host, folder);
  // What an interrupted set-up has left is no environment: it has no marker.
  await removeFolder(folder);
  try {
    return await install(host, python, wheel, folder);
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

async function install(
  host: SetupHost,
  python: Python,
  wheel: string,
  folder: string,
): Promise<Installed> {
  host.progress("making an environment");
  const made = await step(host, python.executable, ["-I", "-m", "venv", folder]);
  if (made !== undefined) {
    if (/ensurepip|No module named venv/.test(made)) {
      throw problem("no-venv", `${python.executable} cannot make environments.`, made);
    }
    throw installProblem(made);
  }
  const own = pythonIn(folder);
  host.progress("installing the server");
  const options = [
    "--no-input",
    "--disable-pip-version-check",
    "--prefer-binary",
    "--progress-bar=off",
  ];
  const failed = await step(host, own, ["-I", "-m", "pip", "install", ...options, wheel]);
  if (failed !== undefined) throw installProblem(failed);
  const installed: Installed = {
    python: own,
    version: versionOf(wheel),
    base: `Python ${python.version}, ${python.executable}`,
    source: python.source,
    ...(host.chosen === undefined ? {} : { chosen: host.chosen }),
  };
  host.progress("checking the server");
  const broken = await checkEnvironment(installed, host.env);
  if (broken !== undefined) {
    throw problem("install", "The server was installed, but it does not run.", broken);
  }
  await fs.writeFile(path.join(folder, MARKER), JSON.stringify(installed, undefined, 2));
  return installed;
}

async function removeFolder(folder: string): Promise<void> {
  await fs.rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Runs one step of the installation; what it said if it failed. Throws when it is cancelled. */
async function step(host: SetupHost, command: string, args: string[]): Promise<string | undefined> {
  const result = await run(command, args, {
    env: { ...host.env, PYTHONUTF8: "1", PIP_REQUIRE_VIRTUALENV: "0" },
    signal: host.signal,
    onLine: (line) => {
      host.log(line);
      const what = /^(?:Collecting|Downloading|Processing) ([^\s(]+)/.exec(line)?.[1];
      if (what !== undefined) host.progress(`fetching ${path.basename(what)}`);
      else if (line.startsWith("Installing collected")) host.progress("unpacking");
    },
  });
  if (result.cancelled) throw problem("cancelled", "The set-up was cancelled.");
  if (result.code === 0) return undefined;
  return result.output || result.startError || `it ended with status ${result.code}`;
}

async function bundledWheel(folder: string): Promise<string> {
  let names: string[] = [];
  try {
    names = await fs.readdir(folder);
  } catch {
    // The message below says what is missing.
  }
  const wheel = names
    .filter((name) => name.endsWith(".whl"))
    .sort()
    .at(-1);
  if (wheel === undefined) throw problem("no-wheel", `There is no server in ${folder}.`);
  return path.join(folder, wheel);
}

async function hashOf(file: string): Promise<string> {
  const digest = createHash("sha256").update(await fs.readFile(file));
  return digest.digest("hex").slice(0, HASH_CHARACTERS);
}

function versionOf(wheel: string): string {
  return path.basename(wheel).split("-")[1] ?? "unknown";
}

function pythonIn(folder: string): string {
  return process.platform === "win32"
    ? path.join(folder, "Scripts", "python.exe")
    : path.join(folder, "bin", "python");
}

async function readMarker(folder: string, chosen?: string): Promise<Installed | undefined> {
  try {
    const data = JSON.parse(await fs.readFile(path.join(folder, MARKER), "utf8")) as Installed;
    if (chosen !== undefined && data.chosen !== chosen) return undefined;
    // Its Python is a link to the one it was made with, which may have been removed since.
    await fs.access(data.python, fs.constants.X_OK);
    return data;
  } catch {
    return undefined;
  }
}

/** Notes that an environment is in use, for those that tidy up. */
export async function noteUse(installed: Installed, storage: string): Promise<void> {
  const now = new Date();
  const [name] = path.relative(storage, installed.python).split(path.sep);
  await fs.utimes(path.join(storage, name ?? "", MARKER), now, now);
}

/** Environments of other versions go when no window has started them for a while. */
async function removeOthers(host: SetupHost, keep: string): Promise<void> {
  for (const name of await fs.readdir(host.storage)) {
    const folder = path.join(host.storage, name);
    if (!name.startsWith(FOLDER_PREFIX) || folder === keep) continue;
    try {
      const marker = await fs.stat(path.join(folder, MARKER)).catch(() => undefined);
      if (marker !== undefined && Date.now() - marker.mtimeMs < UNUSED_MS) continue;
      await fs.rm(folder, { recursive: true, force: true });
    } catch (error) {
      host.log(`${folder} stays for now: ${(error as Error).message}`);
    }
  }
}
