// Runs the suites inside the extension host, and writes what came of them to a file.

import { renameSync, writeFileSync } from "node:fs";
import Mocha from "mocha";
import { suites } from "./suites";

const TEST_TIMEOUT_MS = 90_000;

interface Outcome {
  title: string;
  state: "passed" | "failed";
  error?: string;
  durationMs: number;
}

export async function run(): Promise<void> {
  const target = process.env.LUA_PERSIST_TEST_RESULTS;
  if (target === undefined) throw new Error("LUA_PERSIST_TEST_RESULTS names no file");
  const mocha = new Mocha({ ui: "bdd", timeout: TEST_TIMEOUT_MS, reporter: "min" });
  const wanted = process.env.LUA_PERSIST_TEST_SUITE;
  mocha.suite.emit("pre-require", globalThis as unknown as Mocha.MochaGlobals, "", mocha);
  for (const [name, suite] of Object.entries(suites)) {
    if (wanted === undefined || wanted.split(",").includes(name)) describe(name, suite);
  }
  const outcomes: Outcome[] = [];
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on("pass", (test) =>
      outcomes.push({
        title: test.fullTitle(),
        state: "passed",
        durationMs: test.duration ?? 0,
      }),
    );
    runner.on("fail", (test, error: Error) =>
      outcomes.push({
        title: test.fullTitle(),
        state: "failed",
        error: error.stack ?? String(error),
        durationMs: test.duration ?? 0,
      }),
    );
  });
  // Whole or not at all: the driver waits for the file.
  writeFileSync(`${target}.part`, JSON.stringify(outcomes));
  renameSync(`${target}.part`, target);
}
