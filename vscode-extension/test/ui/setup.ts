// The set-up of the server as somebody meets it for whom nothing is as it should be. What the editor
// finds as Python, and what pip finds as its index, is exchanged while the window is open.

import * as assert from "node:assert/strict";
import { promises as fs } from "node:fs";
import * as path from "node:path";
import type { Editor } from "./editor";
import { buttons, dialog, press, pressInDialog, toast } from "./notifications";

const INSTALL_MS_MAX = 120_000;
const PROGRESS = "setting up the Lua server";

/** From no Python to a server that is repaired and upgraded, each message by its buttons. */
export async function setup(editor: Editor, measured: Record<string, number>): Promise<void> {
  await editor.openFile("first.lua");
  await noPython(editor);
  await oldPython(editor);
  await noNetwork(editor);
  await cancelled(editor);

  await usePip(editor, "working");
  const started = Date.now();
  await press(toast(editor, "The set-up was cancelled"), "Try Again");
  await untilIdle(editor);
  measured.install_s = Math.round((Date.now() - started) / 100) / 10;
  await editor.openFile("first.lua");
  await editor.goToLine(2);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("✓");
  await countsTo(editor, 1);

  await repaired(editor);
  await countsTo(editor, 2);

  await breakServer(editor);
  await editor.goTo();
  await setsUpAgain(editor);
  await countsTo(editor, 3);

  await fs.copyFile(editor.place("newerWheel"), await bundledWheel(editor));
  await editor.goTo();
  await setsUpAgain(editor);
  await countsTo(editor, 4);
  assert.equal((await environments(editor)).length, 2, "the old one stays for other windows");
}

async function noPython(editor: Editor): Promise<void> {
  const told = toast(editor, "No Python was found on this machine");
  await told.waitFor();
  const offered = ["Choose Python…", "Get Python", "Try Again"];
  assert.deepEqual(await buttons(told), offered);
  await toast(editor, PROGRESS).waitFor({ state: "hidden" });
  await editor.still("setup-no-python");
  await press(told, "Get Python");
  const leaving = dialog(editor, "python.org");
  await leaving.waitFor();
  await pressInDialog(leaving, "Cancel");
  // The message is gone; what it offered, and more, stands in the menu of the status bar.
  const headline = await editor.menu("Use Another Server…");
  assert.match(headline, /No Python was found/);
  await untilSetting(editor, "Server: Command", "setup-other-server");
}

async function oldPython(editor: Editor): Promise<void> {
  await fs.copyFile(editor.place("oldPython"), path.join(editor.place("bin"), "python3"));
  await editor.openFile("first.lua");
  await editor.goToLine(3);
  await editor.page.keyboard.press("Control+Enter"); // Whoever evaluates tries it once more.
  const told = toast(editor, "is Python 3.9.2; Lua Persist needs 3.10 or newer");
  await told.waitFor();
  assert.deepEqual(await buttons(told), ["Choose Python…", "Get Python", "Try Again"]);
  await editor.still("setup-old-python");
  await press(told, "Choose Python…");
}

/** Right after a Python was asked for: choosing one starts the set-up again. */
async function noNetwork(editor: Editor): Promise<void> {
  const { page } = editor;
  const rows = page.locator(".quick-input-widget .monaco-list-row");
  await rows.filter({ hasText: "first.lua" }).waitFor(); // It begins in the folder.
  await page.locator(".quick-input-widget:visible input").fill(editor.place("python"));
  await rows.filter({ hasText: "python3" }).waitFor();
  await page.keyboard.press("Enter");
  const told = toast(editor, "The dependencies could not be downloaded");
  await told.waitFor({ timeout: INSTALL_MS_MAX });
  assert.deepEqual(await buttons(told), ["Try Again", "Proxy Settings", "Show Log"]);
  await editor.still("setup-no-network");
  await press(told, "Show Log");
  await page
    .locator(".output-view .view-line", { hasText: "No matching distribution" })
    .first()
    .waitFor();
  await editor.shot("setup-log");
  await editor.menu("Proxy Settings");
  await untilSetting(editor, "Http: Proxy");
}

async function cancelled(editor: Editor): Promise<void> {
  await usePip(editor, "stalled");
  await editor.menu("Try Again");
  const progress = toast(editor, PROGRESS);
  await toast(editor, "fetching").or(toast(editor, "installing the server")).first().waitFor();
  await editor.still("setup-progress");
  await press(progress, "Cancel");
  const told = toast(editor, "The set-up was cancelled. Nothing was installed.");
  await told.waitFor();
  assert.deepEqual(await buttons(told), ["Try Again"]);
  assert.deepEqual(await environments(editor), []);
  await editor.still("setup-cancelled");
}

/** What is broken while the server runs is mended from the menu, in the same window. */
async function repaired(editor: Editor): Promise<void> {
  const packages = await breakServer(editor);
  await editor.menu("Repair Server");
  await editor.until("the set-up", async () => (await editor.status()).includes("setting up"));
  await toast(editor, PROGRESS).waitFor();
  await editor.still("setup-repair");
  await untilIdle(editor);
  assert.ok((await fs.stat(path.join(packages, "pygls"))).isDirectory());
  assert.equal((await environments(editor)).length, 1);
}

/** The page of settings shows one; it lies above everything and is closed again. */
async function untilSetting(editor: Editor, title: string, picture = ""): Promise<void> {
  const words = new RegExp(title.replaceAll(/[: ]+/g, ".*"));
  const page = editor.page.locator(".settings-editor");
  await page.locator(".setting-item", { hasText: words }).first().waitFor();
  if (picture !== "") await editor.shot(picture);
  await page.locator(".suggest-input-container, .search-container").first().click();
  await editor.page.keyboard.press("Escape"); // Empties the search.
  await editor.page.keyboard.press("Escape");
  await page.waitFor({ state: "hidden" });
}

async function countsTo(editor: Editor, wanted: number): Promise<void> {
  await editor.openFile("first.lua");
  await editor.goToLine(3);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind(`=> ${wanted}`);
}

async function setsUpAgain(editor: Editor): Promise<void> {
  await editor.until("the set-up", async () => (await editor.status()).includes("setting up"));
  await untilIdle(editor);
}

async function untilIdle(editor: Editor): Promise<void> {
  await editor.until("the server", () => editor.isIdle(), INSTALL_MS_MAX);
}

/** What an update of the system, or somebody who tidies up, does to an environment: its packages. */
async function breakServer(editor: Editor): Promise<string> {
  const [folder] = await environments(editor);
  assert.ok(folder);
  const [python] = await fs.readdir(path.join(folder, "lib"));
  const packages = path.join(folder, "lib", python ?? "", "site-packages");
  await fs.rm(path.join(packages, "pygls"), { recursive: true });
  return packages;
}

async function environments(editor: Editor): Promise<string[]> {
  const storage = path.join(
    editor.place("profile"),
    "data/User/globalStorage/lua-ls-persist.lua-persist/server",
  );
  const names = await fs.readdir(storage).catch(() => []);
  return names.filter((name) => name.startsWith("server-")).map((name) => path.join(storage, name));
}

async function bundledWheel(editor: Editor): Promise<string> {
  const extensions = path.join(editor.place("profile"), "extensions");
  const [extension] = (await fs.readdir(extensions)).filter((name) => name.includes("lua-persist"));
  const folder = path.join(extensions, extension ?? "", "dist/server");
  const [wheel] = await fs.readdir(folder);
  return path.join(folder, wheel ?? "");
}

async function usePip(editor: Editor, how: "stalled" | "working"): Promise<void> {
  await fs.copyFile(editor.place(how), editor.place("pip"));
}
