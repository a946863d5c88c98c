// A lock between windows: a file that names the process that has it. Knows no VS Code.

import { promises as fs } from "node:fs";

const POLL_MS = 200;
/** A set-up takes seconds; a lock that is older, or of the future, was left behind. */
const STALE_MS = 15 * 60_000;

export class Lock {
  private held = false;

  constructor(private readonly file: string) {}

  /** Waits for the lock; false if the signal came first. */
  async take(signal: AbortSignal, onWait: () => void): Promise<boolean> {
    let told = false;
    while (!signal.aborted) {
      if (await this.tryTake()) return true;
      if (!told) onWait();
      told = true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return false;
  }

  async release(): Promise<void> {
    if (this.held) await fs.rm(this.file, { force: true });
    this.held = false;
  }

  private async tryTake(): Promise<boolean> {
    try {
      await fs.writeFile(this.file, JSON.stringify({ pid: process.pid }), { flag: "wx" });
      this.held = true;
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await this.isStale()) await fs.rm(this.file, { force: true });
    return false;
  }

  private async isStale(): Promise<boolean> {
    try {
      const { mtimeMs } = await fs.stat(this.file);
      if (Math.abs(Date.now() - mtimeMs) > STALE_MS) return true;
      const { pid } = JSON.parse(await fs.readFile(this.file, "utf8")) as { pid: number };
      return !isAlive(pid);
    } catch {
      // It was released in this moment, or is being written: the next look will tell.
      return false;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
