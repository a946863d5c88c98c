// Things that end: what is registered is disposed, in the opposite order.

import type { Disposable } from "vscode";

/** Owns disposables. */
export class Lifetime implements Disposable {
  private readonly parts: Disposable[] = [];

  own<T extends Disposable>(part: T): T {
    this.parts.push(part);
    return part;
  }

  dispose(): void {
    for (const part of this.parts.splice(0).reverse()) {
      part.dispose();
    }
  }
}

/** The message of whatever was thrown, without the name of the server's command that it begins with. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^lua-persist\.\w+: /, "");
}
