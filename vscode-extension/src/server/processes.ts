// Running a program to its end, with its output, a limit and a way to cancel it. Knows no VS Code.

import { type ChildProcess, spawn } from "node:child_process";

export interface ProcessResult {
  /** null: it was ended by a signal, or could not be started. */
  code: number | null;
  output: string;
  stdout: string;
  /** Why it could not be started: ENOENT, EACCES, ... */
  startError?: string;
  cancelled: boolean;
  timedOut: boolean;
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  onLine?: (line: string) => void;
}

const OUTPUT_CHARACTERS_MAX = 200_000;

/** Runs a program. Never rejects: what went wrong is in the result. */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const result: ProcessResult = {
      code: null,
      output: "",
      stdout: "",
      cancelled: false,
      timedOut: false,
    };
    if (options.signal?.aborted) {
      resolve({ ...result, cancelled: true });
      return;
    }
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      windowsHide: true,
      // A group of its own, so that what it has started ends with it.
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
    });
    let rest = "";
    const take = (chunk: string, isStdout: boolean) => {
      if (result.output.length < OUTPUT_CHARACTERS_MAX) {
        result.output += chunk;
        if (isStdout) result.stdout += chunk;
      }
      const lines = (rest + chunk).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line);
    };
    const cancel = () => {
      result.cancelled = true;
      endGroup(child);
    };
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            result.timedOut = true;
            endGroup(child);
          }, options.timeoutMs);
    const finish = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", cancel);
      if (rest !== "") options.onLine?.(rest);
      rest = "";
      resolve(result);
    };
    options.signal?.addEventListener("abort", cancel);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => take(chunk, true));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => take(chunk, false));
    child.on("error", (error: NodeJS.ErrnoException) => {
      result.startError = error.code ?? error.message;
      finish();
    });
    child.on("close", (code) => {
      result.code = code;
      finish();
    });
  });
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill();
    else process.kill(-child.pid, "SIGTERM");
  } catch {
    child.kill();
  }
}
