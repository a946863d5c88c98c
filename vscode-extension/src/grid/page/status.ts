// The line at the bottom: what came of an action, with an offer to undo it.

import { byId, h } from "../../webview/dom";

export function say(text: string, isError = false): void {
  const element = byId("message");
  element.className = isError ? "error" : "";
  element.replaceChildren(h("span", {}, text));
  element.title = text;
}

export function sayUndoable(text: string, undo: () => void): void {
  say(text);
  const button = h("button", { class: "link" }, "Undo");
  button.addEventListener("click", undo);
  byId("message").append(button);
}

/** Does something; why it failed is said. */
export async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    say(reasonOf(error), true);
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
