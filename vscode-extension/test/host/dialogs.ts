// What a person would answer, put in the place of the dialogs of the editor: nothing else is replaced.

import * as assert from "node:assert/strict";
import * as vscode from "vscode";
import { until } from "./helpers";

type Dialog =
  | "showInputBox"
  | "showQuickPick"
  | "showOpenDialog"
  | "showSaveDialog"
  | "showInformationMessage"
  | "showWarningMessage"
  | "showErrorMessage";

/** The answer to a dialog, given what it was called with. */
type Answer = (...asked: never[]) => unknown;

/** Answers each of these dialogs once while `act` runs; every one of them must have been shown. */
export async function answering<T>(
  answers: Partial<Record<Dialog, unknown>>,
  act: () => Thenable<T>,
): Promise<T> {
  const window = vscode.window as unknown as Record<string, unknown>;
  const before = new Map<string, unknown>();
  const open = new Set(Object.keys(answers));
  for (const [name, answer] of Object.entries(answers)) {
    before.set(name, window[name]);
    window[name] = async (...asked: never[]) => {
      assert.ok(open.delete(name), `${name} is shown a second time`);
      return typeof answer === "function" ? (answer as Answer)(...asked) : answer;
    };
  }
  try {
    const result = await act();
    assert.deepEqual([...open], [], "these were not shown");
    return result;
  } finally {
    for (const [name, original] of before) window[name] = original;
  }
}

/** Chooses from a list by a part of the label. */
export function choosing(label: string): Answer {
  return (items: readonly (vscode.QuickPickItem | string)[]) => {
    const text = (item: vscode.QuickPickItem | string) =>
      typeof item === "string" ? item : item.label;
    const found = items.find((item) => text(item).includes(label));
    assert.ok(found, `${label} is not among ${items.map(text).join(", ")}`);
    return found;
  };
}

/** What a command of the editor itself is called with, while `act` runs; it does nothing, or fails. */
export async function intercepting(
  command: string,
  act: () => Thenable<unknown>,
  failure?: Error,
): Promise<unknown[]> {
  const commands = vscode.commands as unknown as Record<string, unknown>;
  const original = vscode.commands.executeCommand;
  const calls: unknown[][] = [];
  commands.executeCommand = async (name: string, ...given: unknown[]) => {
    if (name !== command) return original(name, ...given);
    calls.push(given);
    if (failure !== undefined) throw failure;
    return undefined;
  };
  try {
    await act();
  } finally {
    commands.executeCommand = original;
  }
  assert.equal(calls.length, 1, `${command} is called once`);
  return calls[0] ?? [];
}

/** The lists that are built while `act` runs: the real ones, as they come up one after the other. */
export async function watchingPicks<T>(
  act: (next: () => Promise<vscode.QuickPick<vscode.QuickPickItem>>) => Thenable<T>,
): Promise<T> {
  const window = vscode.window as unknown as Record<string, unknown>;
  const original = vscode.window.createQuickPick;
  const shown: vscode.QuickPick<vscode.QuickPickItem>[] = [];
  window.createQuickPick = () => {
    const pick = original();
    shown.push(pick);
    return pick;
  };
  let seen = 0;
  try {
    return await act(async () => {
      const pick = await until("a list", () => shown[seen]);
      seen += 1;
      return pick;
    });
  } finally {
    window.createQuickPick = original;
  }
}

/** Waits until the active line of a list is this one, and presses Enter. */
export async function enter(
  pick: vscode.QuickPick<vscode.QuickPickItem>,
  label: string,
): Promise<void> {
  await until(`the line ${label}`, () => pick.activeItems[0]?.label === label).catch((error) => {
    const there = pick.items.map((item) => item.label).join(" | ");
    throw new Error(`${error}; active: ${pick.activeItems[0]?.label}; there: ${there}`);
  });
  await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
}
