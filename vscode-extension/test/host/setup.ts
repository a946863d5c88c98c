// The set-up of the server: every failure with its next step, and what repairs itself. A script
// stands in for Python, so that each failure can be had at will.

import * as assert from "node:assert/strict";
import { promises as fs } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {
  checkEnvironment,
  ensureEnvironment,
  type Installed,
  installedEnvironment,
  removeEnvironment,
  type SetupHost,
} from "../../src/server/environment";
import { Lock } from "../../src/server/lock";
import { installProblem, SetupProblem } from "../../src/server/problems";
import type { Candidate } from "../../src/server/python";

/** What the stand-in does; `python` answers the probe, `pip` ends the installation. */
interface Behaviour {
  version?: string;
  missing?: string;
  venv?: string;
  pip?: string;
  check?: string;
}

let folder = "";
let scripts = 0;

async function fakePython(behaviour: Behaviour = {}): Promise<string> {
  scripts += 1;
  const file = path.join(folder, `python-${scripts}`);
  const {
    version = "3, 12, 1",
    missing = "",
    venv = 'mkdir -p "$4/bin"; cp "$0" "$4/bin/python"',
    pip = "echo 'Collecting something'",
    check = "exit 0",
  } = behaviour;
  const text = [
    "#!/bin/sh",
    'case "$*" in',
    `*"-m venv"*) ${venv} ;;`,
    `*"-m pip"*) echo "pip ran" >> "${folder}/pip.log"; ${pip} ;;`,
    `*"lua_ls_persist.__path__"*) ${check} ;;`,
    `*) echo '[[${version}], "'"$0"'", [${missing}]]' ;;`,
    "esac",
  ];
  await fs.writeFile(file, `${text.join("\n")}\n`, { mode: 0o755 });
  return file;
}

function candidate(command: string, chosen = false): Candidate {
  return { command, args: [], source: chosen ? "the setting" : "PATH", chosen };
}

async function host(candidates: Candidate[], abort = new AbortController()): Promise<SetupHost> {
  const wheels = path.join(folder, "wheels");
  await fs.mkdir(wheels, { recursive: true });
  const wheel = path.join(wheels, "lua_ls_persist-1.2.3-py3-none-any.whl");
  await fs.writeFile(wheel, "wheel one", { flag: "wx" }).catch(() => undefined);
  return {
    storage: path.join(folder, "storage"),
    wheels,
    env: process.env,
    chosen: candidates.find(({ chosen }) => chosen)?.command,
    candidates: async () => candidates,
    progress: () => undefined,
    log: () => undefined,
    signal: abort.signal,
  };
}

async function problemOf(promise: Promise<unknown>): Promise<SetupProblem> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof SetupProblem, String(error));
    assert.ok(error.steps.length > 0 && error.advice !== "", "every problem has a next step");
    return error;
  }
  throw new Error("no problem");
}

async function failing(behaviour: Behaviour): Promise<SetupProblem> {
  return problemOf(ensureEnvironment(await host([candidate(await fakePython(behaviour))])));
}

async function pipRuns(): Promise<number> {
  const text = await fs.readFile(path.join(folder, "pip.log"), "utf8").catch(() => "");
  return text.split("\n").length - 1;
}

export function setupSuite(): void {
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), "lua-persist-setup-"));
  });

  afterEach(async () => {
    await fs.rm(folder, { recursive: true, force: true });
  });

  it("installs once, and finds it again", async () => {
    const it = await host([candidate(await fakePython())]);
    assert.equal(await installedEnvironment(it.storage, it.wheels), undefined);
    const installed = await ensureEnvironment(it);
    assert.equal(installed.version, "1.2.3");
    assert.deepEqual(await ensureEnvironment(it), installed);
    assert.deepEqual(await installedEnvironment(it.storage, it.wheels), installed);
    assert.equal(await pipRuns(), 1);
  });

  it("says that there is no Python", async () => {
    const problem = await problemOf(ensureEnvironment(await host([candidate("no-such-python")])));
    assert.equal(problem.kind, "no-python");
    assert.ok(problem.steps.includes("choose-python"));
  });

  it("says which setting names a Python that is not there, and takes no other", async () => {
    const good = candidate(await fakePython());
    const chosen = candidate("/nowhere/python", true);
    const problem = await problemOf(ensureEnvironment(await host([chosen, good])));
    assert.equal(problem.kind, "no-python");
    assert.match(problem.message, /\/nowhere\/python.*the setting/);
  });

  it("says that Python is too old, unless there is another one", async () => {
    const old = candidate(await fakePython({ version: "3, 9, 2" }));
    const problem = await problemOf(ensureEnvironment(await host([old])));
    assert.equal(problem.kind, "python-too-old");
    assert.match(problem.message, /3\.9\.2.*3\.10/);
    const good = candidate(await fakePython());
    const installed = await ensureEnvironment(await host([old, good]));
    assert.match(installed.base, new RegExp(path.basename(good.command)));
  });

  it("says that something is no Python", async () => {
    const problem = await failing({ version: "oops" });
    assert.equal(problem.kind, "python-broken");
  });

  it("says that Python comes without venv", async () => {
    const problem = await failing({ missing: '"ensurepip"' });
    assert.equal(problem.kind, "no-venv");
    assert.match(problem.advice, /python3-venv/);
  });

  it("says that making the environment failed for want of ensurepip", async () => {
    const problem = await failing({ venv: "echo 'ensurepip is not available'; exit 1" });
    assert.equal(problem.kind, "no-venv");
  });

  for (const [kind, said] of [
    ["network", "Failed to establish a new connection: [Errno -3] Temporary failure"],
    ["network", "ERROR: No matching distribution found for wasmtime"],
    ["proxy", "ProxyError('Cannot connect to proxy.', OSError('407 Proxy Authentication'))"],
    ["certificate", "SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'))"],
    ["disk", "OSError: [Errno 28] No space left on device"],
    ["permission", "PermissionError: [Errno 13] Permission denied: '/x'"],
    ["install", "something else"],
  ] as const) {
    it(`reads what pip says: ${kind} (${said.slice(0, 24)})`, async () => {
      assert.equal(installProblem(said).kind, kind);
      const problem = await failing({ pip: `cat <<'END'\n${said}\nEND\nexit 1` });
      assert.equal(problem.kind, kind);
      assert.ok(problem.details.includes(said));
    });
  }

  it("leaves nothing behind after a failure, and works at the next try", async () => {
    const it = await host([candidate(await fakePython({ pip: "exit 1" }))]);
    await problemOf(ensureEnvironment(it));
    assert.deepEqual(await fs.readdir(it.storage), []);
    await ensureEnvironment(await host([candidate(await fakePython())]));
  });

  it("refuses a server that does not run", async () => {
    const problem = await failing({ check: "echo broken; exit 1" });
    assert.equal(problem.kind, "install");
    assert.match(problem.details, /broken/);
  });

  it("is cancelled in the middle", async () => {
    const abort = new AbortController();
    const python = await fakePython({ pip: `touch "${folder}/started"; sleep 60` });
    const outcome = problemOf(ensureEnvironment(await host([candidate(python)], abort)));
    while (!(await exists(path.join(folder, "started")))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    abort.abort();
    assert.equal((await outcome).kind, "cancelled");
    assert.deepEqual(await fs.readdir(path.join(folder, "storage")), []);
  });

  it("installs anew when the wheel is another one", async () => {
    const it = await host([candidate(await fakePython())]);
    const first = await ensureEnvironment(it);
    const wheel = path.join(it.wheels, "lua_ls_persist-1.2.3-py3-none-any.whl");
    await fs.writeFile(wheel, "wheel two");
    const second = await ensureEnvironment(it);
    assert.notEqual(second.python, first.python);
    assert.equal(await pipRuns(), 2);
    // The old one stays for windows that still run it.
    assert.ok(await exists(first.python));
  });

  it("installs anew when its Python is gone", async () => {
    const it = await host([candidate(await fakePython())]);
    const installed = await ensureEnvironment(it);
    await fs.rm(installed.python);
    assert.equal(await installedEnvironment(it.storage, it.wheels), undefined);
    await ensureEnvironment(it);
    assert.equal(await pipRuns(), 2);
  });

  it("installs anew for a Python that is chosen later, and keeps what works if that is none", async () => {
    const it = await host([candidate(await fakePython())]);
    const before = await ensureEnvironment(it);
    const old = candidate(await fakePython({ version: "3, 9, 2" }), true);
    assert.equal((await problemOf(ensureEnvironment(await host([old])))).kind, "python-too-old");
    assert.deepEqual(await installedEnvironment(it.storage, it.wheels), before);
    const chosen = candidate(await fakePython(), true);
    const after = await ensureEnvironment(await host([chosen]));
    assert.match(after.base, new RegExp(path.basename(chosen.command)));
    assert.equal(await pipRuns(), 2);
    await ensureEnvironment(await host([chosen]));
    assert.deepEqual(await ensureEnvironment(it), after);
    assert.equal(await pipRuns(), 2);
  });

  it("notices a broken environment, and makes it anew after it was removed", async () => {
    const it = await host([candidate(await fakePython())]);
    const installed = await ensureEnvironment(it);
    assert.equal(await checkEnvironment(installed, process.env), undefined);
    await fs.writeFile(installed.python, "#!/bin/sh\necho ruined; exit 1\n", { mode: 0o755 });
    assert.match((await checkEnvironment(installed, process.env)) ?? "", /ruined/);
    await removeEnvironment(it.storage, it.wheels);
    assert.equal(await checkEnvironment(await ensureEnvironment(it), process.env), undefined);
  });

  it("is done by one window at a time", async () => {
    const it = await host([candidate(await fakePython())]);
    const both: Installed[] = await Promise.all([ensureEnvironment(it), ensureEnvironment(it)]);
    assert.deepEqual(both[0], both[1]);
    assert.equal(await pipRuns(), 1);
  });

  it("takes a lock that a window left behind when it crashed", async () => {
    const file = path.join(folder, "lock");
    await fs.writeFile(file, JSON.stringify({ pid: 2 ** 22 + 1 }));
    assert.ok(await new Lock(file).take(new AbortController().signal, () => undefined));
  });

  for (const [when, hours] of [
    ["hours ago", -2],
    ["hours ahead, by a clock that was set back", 2],
  ] as const) {
    it(`takes a lock of ${when}`, async () => {
      const file = path.join(folder, "lock");
      await fs.writeFile(file, JSON.stringify({ pid: process.pid }));
      const at = Date.now() / 1000 + hours * 3600;
      await fs.utimes(file, at, at);
      assert.ok(await new Lock(file).take(new AbortController().signal, () => undefined));
    });
  }

  it("says that the package is incomplete", async () => {
    const it = await host([]);
    const problem = await problemOf(ensureEnvironment({ ...it, wheels: "/nowhere" }));
    assert.equal(problem.kind, "no-wheel");
  });

  it("says that the storage cannot be used", async () => {
    const it = await host([candidate(await fakePython())]);
    const storage = path.join(it.wheels, "lua_ls_persist-1.2.3-py3-none-any.whl", "below-a-file");
    const problem = await problemOf(ensureEnvironment({ ...it, storage }));
    assert.match(problem.message, /below-a-file/);
  });
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}
