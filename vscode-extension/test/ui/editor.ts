// A VS Code in a browser as a person has it: keys, clicks, what is on the screen, screenshots.

import { mkdirSync } from "node:fs";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Browser, chromium, type Frame, type Page } from "playwright-core";

/** Where other programs use the machine, too, everything takes several times as long. */
const WAIT_MS_MAX = 45_000;
const SIZE = { width: 1280, height: 800 };
/** Hovers appear slowly, or not at all. */
const HOVER_MS_MAX = 10_000;
const FADE_MS = 400;
const STATUS_ITEM = '[id="lua-ls-persist.lua-persist.luaPersist.status"]';
/** So often something is opened at the top of the window, and so long waited for. */
const PICKER_ATTEMPTS = 3;
const PICKER_MS_MAX = 20_000;
const NBSP = /\u00a0/g;

export interface Settings {
  url: string;
  shots: string;
  browser: string;
  /** Names of files: of the workspace, of the profile, and of what a story needs of its own. */
  places: Record<string, string>;
}

export class Editor {
  private constructor(
    private readonly settings: Settings,
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  static async open(settings: Settings): Promise<Editor> {
    const browser = await chromium.launch({
      executablePath: settings.browser,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"],
    });
    const context = await browser.newContext({ viewport: SIZE, deviceScaleFactor: 1 });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS_MAX);
    mkdirSync(settings.shots, { recursive: true });
    const editor = new Editor(settings, browser, page);
    await editor.goTo();
    return editor;
  }

  /** Opens the window, or opens it again as after a restart of the editor. */
  async goTo(): Promise<void> {
    await this.page.goto(this.settings.url);
    await this.page.waitForSelector(".monaco-workbench .part.editor");
  }

  /** Loads the window again, as a person does it: the editor keeps what it shows. */
  async reload(): Promise<void> {
    await this.page.evaluate(() => {
      document.body.dataset.notReloaded = "yes";
    });
    await this.run("Developer: Reload Window");
    await this.page.waitForSelector('body:not([data-not-reloaded="yes"])');
    await this.page.waitForSelector(".monaco-workbench .part.editor");
  }

  /** A file that the story was told of. */
  place(name: string): string {
    const found = this.settings.places[name];
    if (found === undefined) throw new Error(`the story needs the place ${name}`);
    return found;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /** Takes the mouse to where nothing has a hint. */
  async away(): Promise<void> {
    await this.page.mouse.move(SIZE.width - 2, SIZE.height / 2);
  }

  async shot(name: string): Promise<void> {
    await this.away();
    await this.page.screenshot({ path: path.join(this.settings.shots, `${name}.png`) });
  }

  /** A screenshot with the mouse where it is, for hovers. */
  async still(name: string): Promise<void> {
    await this.page.waitForTimeout(FADE_MS);
    await this.page.screenshot({ path: path.join(this.settings.shots, `${name}.png`) });
  }

  async run(command: string): Promise<void> {
    const exact = new RegExp(`^${command.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
    const rows = this.page.locator(".quick-input-widget .monaco-list-row .label-name");
    await this.page.waitForSelector(".quick-input-widget", { state: "hidden" });
    await this.withPicker(async (timeout) => {
      await this.page.keyboard.press("F1");
      const input = this.page.locator(".quick-input-widget:visible input");
      await input.fill(`>${command}`, { timeout });
      await rows.filter({ hasText: exact }).first().click({ timeout });
    });
  }

  async openFile(name: string): Promise<void> {
    await this.quickOpen(name);
    await this.page.waitForSelector(`.tab.active[data-resource-name="${name}"]`);
    await this.page.waitForSelector(".editor-instance .view-line");
  }

  async openNotebook(name: string): Promise<void> {
    await this.quickOpen(name);
    await this.page.waitForSelector(".notebook-editor .cell-list-container");
  }

  /**
   * Does something with what opens at the top of the window. VS Code gives the focus back to a page
   * late, which closes what has been opened meanwhile: then once more.
   */
  async withPicker(act: (timeout: number) => Promise<void>): Promise<void> {
    for (let left = PICKER_ATTEMPTS - 1; ; left -= 1) {
      try {
        await act(PICKER_MS_MAX);
        return;
      } catch (error) {
        if (left === 0) throw error;
        await this.page.keyboard.press("Escape");
      }
    }
  }

  private async quickOpen(name: string): Promise<void> {
    const widget = this.page.locator(".quick-input-widget");
    await this.withPicker(async (timeout) => {
      await this.page.keyboard.press("Control+p");
      await widget.locator("input:visible").first().fill(name, { timeout });
      await widget.locator(".monaco-list-row", { hasText: name }).first().waitFor({ timeout });
      await this.page.keyboard.press("Enter");
      await widget.waitFor({ state: "hidden", timeout });
    });
  }

  /** Puts the cursor into a line of the active text editor; lines count from 1. */
  async goToLine(line: number): Promise<void> {
    const widget = this.page.locator(".quick-input-widget");
    await this.withPicker(async (timeout) => {
      await this.page.keyboard.press("Control+g");
      await widget.locator("input:visible").first().fill(`:${line}`, { timeout });
      await this.page.keyboard.press("Enter");
      await widget.waitFor({ state: "hidden", timeout });
    });
    // A key that comes before the focus is lost.
    await this.page.waitForSelector(".editor-instance .monaco-editor.focused");
  }

  /** What decorations put behind the code, in reading order. */
  async behind(): Promise<string[]> {
    const texts = await this.page.evaluate(() =>
      [...document.querySelectorAll(".view-lines .view-line span")]
        .map((span) => getComputedStyle(span, "::after").content)
        .filter((text) => text !== "none" && text !== "normal"),
    );
    return texts.map((text) => unquoted(text).replace(NBSP, " "));
  }

  async untilBehind(wanted: string | RegExp): Promise<void> {
    await this.until(`${wanted} behind the code`, async () =>
      (await this.behind()).some((text) =>
        typeof wanted === "string" ? text === wanted : wanted.test(text),
      ),
    );
  }

  /** Something that the page draws, or is told, some time after what made it do so. */
  async untilEqual(what: string, wanted: unknown, ask: () => Promise<unknown>): Promise<void> {
    let seen: unknown;
    const isThere = async () => {
      seen = await ask();
      return isDeepStrictEqual(seen, wanted);
    };
    await this.until(what, isThere).catch((error: Error) => {
      throw new Error(`${error.message}; ${JSON.stringify(seen)} is not ${JSON.stringify(wanted)}`);
    });
  }

  async until<T>(
    what: string,
    ask: () => Promise<T | undefined | false>,
    waitMs = WAIT_MS_MAX,
  ): Promise<T> {
    const end = Date.now() + waitMs;
    for (;;) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined && answer !== false) return answer;
      if (Date.now() > end) {
        await this.shot("failure");
        throw new Error(`not in time: ${what}; behind: ${JSON.stringify(await this.behind())}`);
      }
      await this.page.waitForTimeout(15);
    }
  }

  /** The hover at the end of a line, by the keyboard, when what is wanted is in it. */
  async hover(line: number, wanted: RegExp): Promise<string> {
    const hover = this.page.locator(".monaco-hover:visible").first();
    const { keyboard } = this.page;
    return this.until(`${wanted} in the hover of line ${line}`, async () => {
      await this.goToLine(line);
      for (const key of ["End", "ArrowLeft", "Control+k", "Control+i"]) await keyboard.press(key);
      // Its parts come one by one.
      await hover.filter({ hasText: wanted }).waitFor({ timeout: HOVER_MS_MAX });
      return (await hover.textContent()) ?? "";
    });
  }

  /** The page of the table editor whose grid has this name. */
  async grid(table: string): Promise<Frame> {
    return this.until(`the grid of ${table}`, async () => {
      for (const frame of this.page.frames()) {
        const found = await frame.$(`#grid[aria-label="Rows of ${table}"]`).catch(() => null);
        if (found !== null && (await frame.$(".row .cell:not(.type-coming)")) !== null)
          return frame;
      }
      return undefined;
    });
  }

  /** Takes a file of the workspace in a dialog that is about to come. */
  async choose(name: string): Promise<void> {
    const input = this.page.locator(".quick-input-widget:visible input");
    await this.until("the dialog", async () => (await input.inputValue()).startsWith("/"));
    // The dialog writes into its field while it reads the folder, so nothing is typed there.
    const exact = new RegExp(`^${name.replaceAll(".", "\\.")}$`);
    const rows = this.page.locator(".quick-input-widget .monaco-list-row .label-name");
    await rows.filter({ hasText: exact }).first().click();
    await this.page.waitForSelector(".quick-input-widget", { state: "hidden" });
  }

  /** A page with an element. */
  async frameWith(selector: string): Promise<Frame> {
    return this.until(`a page with ${selector}`, async () => {
      for (const frame of this.page.frames()) {
        if ((await frame.$(selector).catch(() => null)) !== null) return frame;
      }
      return undefined;
    });
  }

  async copy(text: string): Promise<void> {
    await this.page.evaluate((content) => navigator.clipboard.writeText(content), text);
  }

  async clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Chooses from the menu of the status bar item; what is above the choices comes back. */
  async menu(title: string): Promise<string> {
    await this.clickStatus();
    const input = this.page.locator(".quick-input-widget:visible input");
    const headline = (await input.getAttribute("placeholder")) ?? "";
    await this.page
      .locator(".quick-input-widget .monaco-list-row", { hasText: title })
      .first()
      .click();
    return headline;
  }

  async clickStatus(): Promise<void> {
    await this.page.locator(STATUS_ITEM).click();
  }

  /** What the status bar item says, its icon as a class name. */
  async status(): Promise<string> {
    const item = this.page.locator(STATUS_ITEM);
    const icon = await item.locator(".codicon").first().getAttribute("class");
    return `${icon ?? ""} ${(await item.textContent()) ?? ""}`;
  }

  async isIdle(): Promise<boolean> {
    return (await this.status()).includes("codicon-database");
  }

  async theme(name: string): Promise<void> {
    await this.run("Preferences: Color Theme");
    const row = this.page.locator(".quick-input-widget .monaco-list-row", { hasText: name });
    await this.page.locator(".quick-input-widget:visible input").fill(name);
    await row.first().waitFor();
    await this.page.keyboard.press("Enter");
    await this.page.waitForSelector(".quick-input-widget", { state: "hidden" });
  }
}

function unquoted(content: string): string {
  try {
    return JSON.parse(content) as string;
  } catch {
    return content;
  }
}
