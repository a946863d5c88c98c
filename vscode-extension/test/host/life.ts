// The connection: activation, a server that cannot be started, a crash, a workspace without trust.

import * as assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import type { Api } from "../../src/extension";
import { reportText } from "../../src/server/report";
import { api, EXTENSION_ID, execute, labels, openLua, running, select, until } from "./helpers";

/** Where the driver wants the times of this run; nobody judges them here. */
const TIMES = process.env.LUA_PERSIST_TEST_TIMES;

/** For a test in which the server starts six times, on a machine that has other things to do. */
const SIX_STARTS_MS = 90_000;

const TURNS = 20;
const TURN_MS = 20;
const LATE_MS_MAX = 5;
const CALM_MS_MAX = 10_000;

/** Waits until nothing else keeps this process busy, or for so long that it does not matter. */
async function calm(): Promise<void> {
  const end = performance.now() + CALM_MS_MAX;
  for (let turns = 0; turns < TURNS && performance.now() < end; turns += 1) {
    const before = performance.now();
    await new Promise((later) => setTimeout(later, TURN_MS));
    if (performance.now() - before > TURN_MS + LATE_MS_MAX) turns = 0;
  }
}

export function lifeSuite(): void {
  it("activates without waiting for the server", async () => {
    const extension = vscode.extensions.getExtension<Api>(EXTENSION_ID);
    assert.ok(extension && !extension.isActive, "it is active already");
    // While the editor itself starts, everything in this process waits for its other extensions.
    if (TIMES !== undefined) await calm();
    const used = process.cpuUsage();
    const started = performance.now();
    const { server } = await extension.activate();
    const took = performance.now() - started;
    // What the editor itself does meanwhile counts, too; but not what other programs do.
    const { user, system } = process.cpuUsage(used);
    assert.equal(server.state, "starting");
    if (TIMES !== undefined)
      writeFileSync(
        TIMES,
        JSON.stringify({ activation_ms: took, cpu_ms: (user + system) / 1_000 }),
      );
  });

  it("says that a server cannot be started, and starts the right one", async () => {
    const { server } = await running();
    const settings = vscode.workspace.getConfiguration("luaPersist");
    const before = settings.inspect("server.command");
    const target = vscode.ConfigurationTarget.Workspace;
    await settings.update("server.command", ["/nowhere/server", "serve"], target);
    await until("the failure", () => server.state === "failed");
    assert.equal(server.lastProblem?.kind, "no-server");
    assert.match(server.lastProblem?.message ?? "", /\/nowhere\/server/);
    await settings.update("server.command", before?.workspaceValue, target);
    await until("the right one", () => server.state === "running");
  });

  it("starts the server again when it ends unexpectedly", async () => {
    const { server } = await running();
    const editor = await openLua("math.max(1, 2)\n");
    process.kill(server.processId ?? 0, "SIGKILL");
    await until("its end", () => server.state !== "running");
    await until("its start", () => server.state === "running");
    select(editor, 0);
    await execute(COMMANDS.evaluate);
    await until("a result", async () => (await labels(editor)).includes("0: => 2"));
  });

  it("gives up on a server that ends again and again, says so, and tries again when asked", async () => {
    const { server } = await running();
    await execute(COMMANDS.restartServer);
    for (let times = 0; times < 4; times += 1) {
      const ended = server.processId ?? 0;
      process.kill(ended, "SIGKILL");
      await until("its end", () => server.state !== "running");
      if (times < 3) await until("its start", () => server.state === "running");
    }
    await until("the end of that", () => server.lastProblem?.kind === "server-broken");
    assert.equal(server.state, "failed");
    assert.match(server.lastProblem?.message ?? "", /ended several times/);
    await server.take("retry");
    assert.equal(server.state, "running");
  }).timeout(SIX_STARTS_MS);

  it("writes versions into a report", async () => {
    const { server } = await running();
    const extension = vscode.extensions.getExtension(EXTENSION_ID);
    const text = await reportText({ extension } as unknown as vscode.ExtensionContext, server);
    assert.match(text, /Extension: \d+\.\d+\.\d+\nVS Code: 1\./);
    assert.match(text, /Server: lua-ls-persist \d/);
  });

  it("opens the sample as a file of the workspace", async () => {
    await execute(COMMANDS.openSample);
    const document = vscode.window.activeTextEditor?.document;
    assert.match(document?.uri.path ?? "", /welcome\.lua$/);
    assert.equal(document?.languageId, "lua");
    assert.deepEqual(
      vscode.languages.getDiagnostics(document.uri).filter(({ severity }) => severity === 0),
      [],
    );
  });
}

/** Told in a window whose workspace is not trusted. */
export function untrustedSuite(): void {
  it("evaluates nothing, and says so", async () => {
    assert.equal(vscode.workspace.isTrusted, false);
    const { server, statusBar } = await running();
    const editor = await openLua("math.max(1, 2)\n");
    select(editor, 0);
    await assert.rejects(
      server.call("evaluateForm", {
        uri: editor.document.uri.toString(),
        position: { line: 0, character: 0 },
      }),
      /trust/i,
    );
    assert.deepEqual(await labels(editor), []);
    await until("the status bar", () => /untrusted/.test(statusBar.text));
  });

  it("lets the folder's settings choose no program", async () => {
    const settings = vscode.workspace.getConfiguration("luaPersist");
    const target = vscode.ConfigurationTarget.Workspace;
    await settings.update("server.command", ["/nowhere/server"], target);
    const { server } = await api();
    assert.notDeepEqual(vscode.workspace.getConfiguration("luaPersist").get("server.command"), [
      "/nowhere/server",
    ]);
    assert.equal(server.state, "running");
  });
}
