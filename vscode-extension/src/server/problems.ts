// What can go wrong while the server is set up, each with a next step. Knows no VS Code.

export type ProblemKind =
  | "cancelled"
  | "disk"
  | "install"
  | "network"
  | "no-python"
  | "no-server"
  | "no-venv"
  | "no-wheel"
  | "permission"
  | "proxy"
  | "certificate"
  | "python-broken"
  | "python-too-old"
  | "server-broken";

/** Steps that are offered as buttons. */
export type Step =
  | "retry"
  | "choose-python"
  | "use-server"
  | "settings-proxy"
  | "log"
  | "get-python";

/** Why there is no server, in the user's words. */
export class SetupProblem extends Error {
  constructor(
    readonly kind: ProblemKind,
    message: string,
    readonly advice: string,
    readonly steps: readonly Step[],
    /** What a program printed; for the log. */
    readonly details: string,
  ) {
    super(message);
    this.name = "SetupProblem";
  }
}

const DEBIAN_HINT = "On Debian and Ubuntu: `sudo apt install python3-venv`.";

const ADVICE: Record<ProblemKind, [string, Step[]]> = {
  cancelled: ["Nothing was installed.", ["retry"]],
  disk: ["Free some space (about 150 MB are needed) and try again.", ["retry", "log"]],
  install: ["The log has what pip said.", ["retry", "log", "choose-python"]],
  network: [
    "The server's dependencies come from the package index that pip is configured with. Connect and try again.",
    ["retry", "settings-proxy", "log"],
  ],
  "no-python": [
    "Install Python 3.10 or newer, or choose one that is not on the PATH.",
    ["choose-python", "get-python", "retry", "use-server"],
  ],
  "no-server": [
    "Change the setting luaPersist.server.command, or leave it empty to have a server installed.",
    ["use-server", "log"],
  ],
  "no-venv": [`Install that part of Python. ${DEBIAN_HINT}`, ["retry", "choose-python"]],
  "no-wheel": ["Install the extension again: its package is incomplete.", ["use-server", "log"]],
  permission: ["See to it that the folder can be written, and try again.", ["retry", "log"]],
  proxy: [
    "Set VS Code's setting http.proxy, or the environment variable HTTPS_PROXY, and try again.",
    ["settings-proxy", "retry", "log"],
  ],
  certificate: [
    "A proxy seems to sign with a certificate that Python does not know: point PIP_CERT at it, and try again.",
    ["retry", "log"],
  ],
  "python-broken": ["Choose another Python.", ["choose-python", "log"]],
  "python-too-old": [
    "Install a newer Python, or choose another one.",
    ["choose-python", "get-python", "retry"],
  ],
  "server-broken": ["Repairing installs it anew.", ["retry", "log"]],
};

export function problem(kind: ProblemKind, message: string, details = ""): SetupProblem {
  const [advice, steps] = ADVICE[kind];
  return new SetupProblem(kind, message, advice, steps, details);
}

const SIGNS: [ProblemKind, RegExp, string][] = [
  ["disk", /No space left on device|ENOSPC|Errno 28|Disk quota/i, "The disk is full."],
  ["proxy", /ProxyError|407 Proxy|Cannot connect to proxy/i, "The proxy refuses the connection."],
  [
    "certificate",
    /CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError/i,
    "A certificate could not be verified.",
  ],
  [
    "permission",
    /Permission denied|EACCES|EPERM|Read-only file system/i,
    "The folder cannot be written.",
  ],
  [
    "network",
    /NewConnectionError|NameResolutionError|Temporary failure in name resolution|Name or service not known|Failed to establish a new connection|ConnectTimeout|Read timed out|Network is unreachable|getaddrinfo failed|No matching distribution found|Could not find a version/i,
    "The dependencies could not be downloaded.",
  ],
];

/** What a failed installation's output means. */
export function installProblem(output: string): SetupProblem {
  for (const [kind, sign, message] of SIGNS) {
    if (sign.test(output)) return problem(kind, message, output);
  }
  return problem("install", "The server could not be installed.", output);
}

/** What a failure of the file system means. */
export function fileProblem(error: NodeJS.ErrnoException, place: string): SetupProblem {
  const kind: ProblemKind =
    error.code === "ENOSPC" || error.code === "EDQUOT"
      ? "disk"
      : error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS"
        ? "permission"
        : "install";
  return problem(kind, `${place} cannot be used: ${error.message}`, String(error.stack));
}
