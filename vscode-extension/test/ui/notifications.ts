// What the editor tells and asks: notifications with their buttons, and modal dialogs.

import type { Locator } from "playwright-core";
import type { Editor } from "./editor";

/** A notification that is on the screen, by a part of its text. */
export function toast(editor: Editor, text: string | RegExp): Locator {
  return editor.page
    .locator(".notifications-toasts .notification-list-item", { hasText: text })
    .last();
}

/** The titles of its buttons. */
export async function buttons(shown: Locator): Promise<string[]> {
  const titles = await shown
    .locator(".notification-list-item-buttons-container a")
    .allTextContents();
  return titles.filter((title) => title.trim() !== "");
}

export async function press(shown: Locator, title: string): Promise<void> {
  await shown.locator(".notification-list-item-buttons-container a", { hasText: title }).click();
}

/** A modal dialog, by a part of its text. */
export function dialog(editor: Editor, text: string | RegExp): Locator {
  return editor.page.locator(".monaco-dialog-box", { hasText: text });
}

export async function pressInDialog(shown: Locator, title: string | RegExp): Promise<void> {
  await shown.locator(".monaco-button", { hasText: title }).first().click();
}
