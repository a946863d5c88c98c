// Which Python runs the server. Knows no VS Code: candidates come from outside.

import { problem, type SetupProblem } from "./problems";
import { type ProcessResult, run } from "./processes";

export const PYTHON_MIN = [3, 10] as const;
const PROBE_TIMEOUT_MS = 15_000;

/** A command that may be a Python. */
export interface Candidate {
  command: string;
  args: string[];
  /** Where the user would change it: "the setting luaPersist.python.path", "PATH". */
  source: string;
  /** Somebody chose it: its failure is told, and nothing else is taken instead. */
  chosen: boolean;
}

export interface Python {
  executable: string;
  version: string;
  source: string;
}

const PROBE = [
  "import json, sys",
  "missing = []",
  "for name in ('venv', 'ensurepip', 'ssl', 'sqlite3'):",
  "    try: __import__(name)",
  "    except ImportError: missing.append(name)",
  "print(json.dumps([list(sys.version_info[:3]), sys.executable, missing]))",
].join("\n");

/** The commands to try when nobody chose one. */
export function candidatesOnPath(platform: NodeJS.Platform = process.platform): Candidate[] {
  const names: [string, string[]][] =
    platform === "win32"
      ? [
          ["py", ["-3"]],
          ["python", []],
          ["python3", []],
        ]
      : [
          ["python3", []],
          ["python", []],
          ...["13", "12", "11", "10"].map((minor): [string, string[]] => [`python3.${minor}`, []]),
        ];
  return names.map(([command, args]) => ({ command, args, source: "PATH", chosen: false }));
}

/** The first candidate that can run the server. Throws a `SetupProblem`. */
export async function findPython(
  candidates: readonly Candidate[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Python> {
  let best: SetupProblem | undefined;
  for (const candidate of candidates) {
    const outcome = await probe(candidate, env, signal);
    if (!("kind" in outcome)) return outcome;
    if (candidate.chosen || outcome.kind === "cancelled") throw outcome;
    // Of those that will not do, the one that is nearest to it is worth telling.
    if (best === undefined || rank(outcome) > rank(best)) best = outcome;
  }
  throw best ?? problem("no-python", "No Python was found.");
}

const RANKS: SetupProblem["kind"][] = ["no-python", "python-broken", "python-too-old", "no-venv"];

function rank(of: SetupProblem): number {
  return RANKS.indexOf(of.kind);
}

async function probe(
  candidate: Candidate,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Python | SetupProblem> {
  const shown = [candidate.command, ...candidate.args].join(" ");
  const result = await run(candidate.command, [...candidate.args, "-I", "-c", PROBE], {
    env,
    timeoutMs: PROBE_TIMEOUT_MS,
    ...(signal ? { signal } : {}),
  });
  if (result.cancelled) return problem("cancelled", "The set-up was cancelled.");
  if (result.startError !== undefined) {
    return candidate.chosen
      ? problem(
          "no-python",
          `${shown}, which ${candidate.source} names, cannot be started (${result.startError}).`,
        )
      : problem("no-python", "No Python was found on this machine.");
  }
  const said = answerOf(result);
  if (said === undefined) {
    const why = result.timedOut ? "did not answer in time" : "is not a working Python";
    return problem("python-broken", `${shown} (${candidate.source}) ${why}.`, result.output);
  }
  const [version, executable, missing] = said;
  const text = version.join(".");
  const [major, minor] = [version[0] ?? 0, version[1] ?? 0];
  if (major < PYTHON_MIN[0] || (major === PYTHON_MIN[0] && minor < PYTHON_MIN[1])) {
    const least = PYTHON_MIN.join(".");
    return problem(
      "python-too-old",
      `${executable} (${candidate.source}) is Python ${text}; Lua Persist needs ${least} or newer.`,
    );
  }
  if (missing.includes("venv") || missing.includes("ensurepip")) {
    return problem(
      "no-venv",
      `${executable} (Python ${text}) cannot make environments: it comes without ${missing.join(" and ")}.`,
    );
  }
  return { executable, version: text, source: candidate.source };
}

function answerOf(result: ProcessResult): [number[], string, string[]] | undefined {
  if (result.code !== 0) return undefined;
  try {
    const last = result.stdout.trim().split("\n").at(-1) ?? "";
    const data: unknown = JSON.parse(last);
    if (Array.isArray(data) && data.length === 3 && typeof data[1] === "string") {
      return data as [number[], string, string[]];
    }
  } catch {
    // It printed something else: no Python of ours.
  }
  return undefined;
}
