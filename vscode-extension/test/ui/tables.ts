// Tables that are looked at: the trees, the table editor, its conditions, a million rows, themes.

import type { Frame } from "playwright-core";
import { assertAccessible } from "./accessible";
import type { Editor } from "./editor";
import { count, openGrid } from "./pages";

/** The trees. */
export async function tables(editor: Editor): Promise<void> {
  await editor.openFile("data.lua");
  await editor.run("Lua Persist: Evaluate File");
  await editor.untilBehind(/^✓/);
  await editor.page.locator('.activitybar a[aria-label^="Lua Persist"]').first().click();
  const row = (text: string) =>
    editor.page.locator(".pane-body .monaco-list-row", { hasText: text }).first();
  const turn = (text: string) => row(text).locator(".monaco-tl-twistie").click();
  await row("people").waitFor();
  await turn("people");
  await row("Indexes").waitFor();
  await turn("people");
  await indexByTyping(editor);
  await row("cities2 rows · 1 index").waitFor();
  await turn("cities");
  await row("rome").waitFor();
  for (const pane of ["Globals", "History"]) {
    await editor.page.locator(".pane-header[aria-expanded=false]", { hasText: pane }).click();
  }
  for (const text of ["Memory.greet", "season", "Libraries", "create index cities"]) {
    await row(text).waitFor();
  }
  await editor.shot("views");
}

/** A kind that is chosen, and fields that are typed as a person types them. */
async function indexByTyping(editor: Editor): Promise<void> {
  const { keyboard } = editor.page;
  const line = (text: string) =>
    editor.page.locator(".quick-input-widget .monaco-list-row", { hasText: text }).first();
  await editor.withPicker(async (timeout) => {
    await editor.run("Lua Persist: Create Index…");
    await line("cities").click({ timeout });
    await line("Unique elements").waitFor({ timeout });
    await editor.still("index-kinds");
    await keyboard.press("Enter");
    await line("river").waitFor({ timeout });
    await keyboard.type("name, ri");
    await line("name, river").waitFor({ timeout });
    await editor.shot("index-fields");
    await keyboard.press("Enter");
  });
}

/** The grid at 100,000 rows: scroll to the end, sort, search, look at a column. */
export async function grid(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "people");
  await editor.until("the count", async () => (await count(frame)) === "100,000 rows");
  await frame.locator("#grid").focus();
  await editor.page.keyboard.press("Control+End");
  await editor.until(
    "the last row",
    async () =>
      (await frame.locator('.row[aria-rowindex="100001"] .cell.key').textContent()) === "100000",
  );
  await frame.locator(".head .sort", { hasText: "age" }).click();
  await frame.locator(".head .sort", { hasText: "age" }).click();
  await frame.locator(".head .sort", { hasText: "age ▼" }).waitFor();
  await frame.locator("#filter").fill("ann 4");
  await editor.until("the filter", async () => /of 100,000 rows/.test(await count(frame)));
  await sameEverywhere(editor, frame);
  await frame.locator("#grid").focus();
  await frame.locator(".row .cell", { hasText: "Ann" }).first().click();
  await frame.locator("#filter").fill("");
  await editor.until("all rows", async () => (await count(frame)) === "100,000 rows");
  await frame.locator(".head .cell", { hasText: "age" }).locator(".more").click();
  await frame.locator(".menu button", { hasText: "Profile" }).click();
  await frame.locator("#side figure").waitFor();
  await editor.page.keyboard.press("Control+b");
  await frame.locator("#grid").focus();
  await editor.page.keyboard.press("Home");
  await editor.shot("table-editor");
  await frame.locator(".head .sort", { hasText: "age ▼" }).click();
  await frame.locator("#side .close").click();
}

/** The profile, a chart and the plan tell of the rows that the search has found, and of no others. */
async function sameEverywhere(editor: Editor, frame: Frame): Promise<void> {
  const rows = /^([\d,]+) of/.exec(await count(frame))?.[1] ?? "none";
  const side = async (wanted: string) =>
    editor.until(`${wanted} at the side`, async () =>
      ((await frame.locator("#side").textContent()) ?? "").includes(wanted),
    );
  await frame.locator("#profile").click();
  await side(`rows${rows}`);
  await frame.locator("#chart").click();
  await side(`of ${rows} rows.`);
  await frame.locator("#plan").click();
  await side(`returned${rows}`);
  await frame.locator("#side .close").click();
}

/** Conditions in the line and in the builder; how the rows were found; an index that helps. */
export async function query(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "people");
  await frame.locator("#query").fill("age between 40 and 41 and name startsWith A");
  await frame.locator("#query").press("Enter");
  await editor.until("the conditions", async () => /of 100,000 rows/.test(await count(frame)));
  await frame.locator("#build").click();
  await editor.untilEqual("the conditions", 2, () => frame.locator(".condition").count());
  await frame.locator("#plan").click();
  await frame.locator("#side h2", { hasText: "How the rows were found" }).waitFor();
  const [rows = ""] = (await count(frame)).split(" of ");
  await editor.until(`${rows} rows in the plan`, async () =>
    ((await frame.locator("#side").textContent()) ?? "").includes(`returned${rows}`),
  );
  await editor.shot("query-builder");
  await assertAccessible(frame, "the query builder");
  await frame.locator("#query").fill("");
  await frame.locator("#query").press("Enter");
  await editor.until("all rows", async () => (await count(frame)) === "100,000 rows");
  await frame.locator("#build").click();
  await frame.locator("#side .close").click();
}

/** A million rows: how long until the first page is there, and how smoothly it scrolls. */
export async function million(editor: Editor, measured: Record<string, number>): Promise<void> {
  const started = Date.now();
  const frame = await openGrid(editor, "numbers");
  measured.open_million_ms = Date.now() - started;
  await editor.untilEqual("the count", "1,000,000 rows", () => count(frame));
  measured.first_page_ms = await frame.evaluate(() =>
    Math.round(Number(document.body.dataset.firstPage ?? "0")),
  );
  measured.frames_per_second = await frame.evaluate(async () => {
    const scroller = document.querySelector(".scroller");
    if (scroller === null) return 0;
    let frames = 0;
    const begin = performance.now();
    while (performance.now() - begin < 2_000) {
      scroller.scrollTop += 400;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      frames += 1;
    }
    return Math.round((frames / (performance.now() - begin)) * 1_000);
  });
  await frame.locator("#grid").focus();
  await editor.page.keyboard.press("Control+End");
  await editor.until(
    "the last row",
    async () =>
      (await frame.locator('.row[aria-rowindex="1000001"] .cell.key').textContent()) === "1000000",
  );
}

/** The same screen in light and in high contrast. */
export async function themes(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "people");
  for (const [theme, name] of [
    ["Light Modern", "light"],
    ["Dark High Contrast", "high-contrast"],
    ["Light High Contrast", "high-contrast-light"],
    ["Dark Modern", "dark"],
  ] as const) {
    await editor.theme(theme);
    await frame.locator(".head .cell", { hasText: "age" }).locator(".more").click();
    await frame.locator(".menu button", { hasText: "Profile" }).click();
    await frame.locator("#side h2", { hasText: "age" }).waitFor();
    await frame.locator("#grid").focus();
    await editor.shot(`table-editor-${name}`);
    await assertAccessible(frame, `the table editor in ${theme}`);
  }
  await frame.locator("#side .close").click();
}
