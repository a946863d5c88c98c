// What a person does and sees, one story each. Every story leaves screenshots.

import * as assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { assertAccessible } from "./accessible";
import type { Editor } from "./editor";
import { examples } from "./examples";
import { afterwards, keys, newcomer, walkthrough } from "./newcomer";
import { setup } from "./setup";
import { trust } from "./trust";

type Scenario = (editor: Editor, measured: Record<string, number>) => Promise<void>;

export const scenarios: Record<string, Scenario> = {
  evaluate,
  errors,
  tables,
  grid,
  query,
  edit,
  cells,
  importing,
  charts,
  million,
  repl,
  notebook,
  themes,
  walkthrough,
  keys,
  newcomer,
  afterwards,
  setup,
  trust,
  examples,
};

/** A value behind its line, its hover; how long the key press takes to show. */
async function evaluate(editor: Editor, measured: Record<string, number>): Promise<void> {
  await editor.openFile("tour.lua");
  await editor.goToLine(2);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("=> 42");
  await editor.goToLine(3);
  const started = Date.now();
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("=> 2");
  measured.inline_result_ms = Date.now() - started;
  await editor.goToLine(5);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind(/^» round 1/);
  await editor.goToLine(10);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind("✓");
  await editor.goToLine(11);
  await editor.page.keyboard.press("Control+Enter");
  await editor.untilBehind(/^=> \{/);
  const text = await editor.hover("inventory()");
  assert.match(text, /Copy/);
  assert.match(text, /Undo/);
  await editor.still("inline-results");
  await editor.page.keyboard.press("Escape");
}

/** A squiggle with a traceback, and the error behind its line. */
async function errors(editor: Editor): Promise<void> {
  await editor.openFile("oops.lua");
  await editor.run("Lua Persist: Evaluate File");
  await editor.untilBehind(/^✗ /);
  await editor.page.waitForSelector(".squiggly-error");
  const text = await editor.hover("order.price");
  assert.match(text, /Traceback/);
  await editor.still("error");
  await editor.page.keyboard.press("Escape");
}

/** The trees. */
async function tables(editor: Editor): Promise<void> {
  await editor.openFile("data.lua");
  await editor.run("Lua Persist: Evaluate File");
  await editor.untilBehind(/^✓/);
  await editor.page.locator('.activitybar a[aria-label^="Lua Persist"]').first().click();
  const row = editor.page.locator(".pane-body .monaco-list-row", { hasText: "people" }).first();
  await row.waitFor();
  await row.locator(".monaco-tl-twistie").click();
  const first = editor.page.locator(".pane-body .monaco-list-row", { hasText: "Indexes" }).first();
  await first.waitFor();
  await editor.page
    .locator(".pane-body .monaco-list-row", { hasText: "Memory.greet" })
    .first()
    .waitFor();
  await editor.shot("views");
}

async function openGrid(editor: Editor, table: string): Promise<Frame> {
  const widget = editor.page.locator(".quick-input-widget");
  const rows = widget.locator(".monaco-list-row .label-name");
  await editor.withPicker(async (timeout) => {
    await editor.run("Lua Persist: Open Table…");
    const row = rows.filter({ hasText: new RegExp(`^${table}$`) }).first();
    await row.click({ timeout });
    await widget.waitFor({ state: "hidden", timeout });
  });
  return editor.grid(table);
}

async function count(frame: Frame): Promise<string> {
  return ((await frame.locator("#count").textContent()) ?? "").replace(/ · row.*$/, "");
}

/** The grid at 100,000 rows: scroll to the end, sort, search, look at a column. */
async function grid(editor: Editor): Promise<void> {
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

/** Conditions in the line and in the builder; how the rows were found; an index that helps. */
async function query(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "people");
  await frame.locator("#query").fill("age between 40 and 41 and name startsWith A");
  await frame.locator("#query").press("Enter");
  await editor.until("the conditions", async () => /of 100,000 rows/.test(await count(frame)));
  await frame.locator("#build").click();
  assert.equal(await frame.locator(".condition").count(), 2);
  await frame.locator("#plan").click();
  await frame.locator("#side h2", { hasText: "How the rows were found" }).waitFor();
  await editor.shot("query-builder");
  await assertAccessible(frame, "the query builder");
  await frame.locator("#query").fill("");
  await frame.locator("#query").press("Enter");
  await editor.until("all rows", async () => (await count(frame)) === "100,000 rows");
  await frame.locator("#build").click();
  await frame.locator("#side .close").click();
}

/** A cell edited, a refusal, a row added and deleted, all of it undone; a nested table followed. */
async function edit(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "people");
  const cell = frame.locator('.row[aria-rowindex="2"] .cell', { hasText: "Ann" });
  await cell.click();
  await editor.page.keyboard.press("F2");
  const input = frame.locator(".editor .edit");
  await input.fill("no literal");
  await input.press("Enter");
  await frame.locator(".refusal:not(:empty)").waitFor();
  await editor.shot("refused-edit");
  await input.fill('"Anna"');
  await input.press("Enter");
  await frame.locator('.row[aria-rowindex="2"] .cell', { hasText: "Anna" }).waitFor();
  await frame.locator("#message .link").click();
  await frame.locator('.row[aria-rowindex="2"] .cell[title="Ann 1"]').waitFor();
  await frame.locator("#grid").focus();
  await editor.page.keyboard.press("Control+Home");
  await editor.page.keyboard.press("Delete");
  await editor.until("one row less", async () => (await count(frame)) === "99,999 rows");
  await editor.page.keyboard.press("Control+z");
  await editor.until("it is back", async () => (await count(frame)) === "100,000 rows");
  await frame.locator("#add").click();
  await frame.locator(".editor .edit").fill('new = { name = "New", age = 1 }');
  await frame.locator(".editor .edit").press("Enter");
  await editor.until("one row more", async () => (await count(frame)) === "100,001 rows");
  await frame.locator("#message .link").click();
  await editor.until("it is gone", async () => (await count(frame)) === "100,000 rows");
  await frame.locator('.row[aria-rowindex="2"] .type-table .follow').first().click();
  await editor.until("the nested table", async () => (await count(frame)) === "2 rows");
  await editor.shot("nested-table");
  await frame.locator("#trail button").first().click();
  await editor.until("the way back", async () => (await count(frame)) === "100,000 rows");
}

/** The text of a cell; rows count from 1, columns from the key. */
async function cellText(frame: Frame, row: number, column: number): Promise<string> {
  return (await frame.locator(`#cell-${row - 1}-${column}`).textContent()) ?? "";
}

async function untilColumn(
  editor: Editor,
  frame: Frame,
  column: number,
  wanted: string[],
): Promise<void> {
  await editor.until(`column ${column} to be ${wanted.join(", ")}`, async () => {
    const texts = wanted.map((_, at) => cellText(frame, at + 1, column));
    return (await Promise.all(texts)).join() === wanted.join();
  });
}

/** Many cells at once: one value for all, filled down, pasted, refused, deleted; each one undo. */
async function cells(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "stock");
  const keys = editor.page.keyboard;
  const names = await frame.locator(".head .cell .sort").allTextContents();
  const column = (name: string) => names.findIndex((text) => text.startsWith(name));
  const [counts, prices] = [column("count"), column("price")];
  const before = ["10", "20", "30", "40", "50", "60"];
  await untilColumn(editor, frame, counts, before);
  const undo = async () => {
    await frame.locator("#message .link").click();
    await untilColumn(editor, frame, counts, before);
  };
  const at = (row: number, place: number) => frame.locator(`#cell-${row - 1}-${place}`);

  await at(2, counts).click();
  await keys.press("Shift+ArrowDown");
  await at(5, counts).click({ modifiers: ["Control"] });
  assert.match((await frame.locator("#count").textContent()) ?? "", /3 cells in 3 rows selected/);
  await keys.press("F2");
  await frame.locator(".editor .edit").fill("7");
  await editor.shot("set-cells");
  await assertAccessible(frame, "the editing of cells");
  await keys.press("Control+Enter");
  await untilColumn(editor, frame, counts, ["10", "7", "7", "40", "7", "60"]);
  await undo();

  await at(2, counts).click({ button: "right" });
  await frame.locator(".menu").waitFor();
  await assertAccessible(frame, "the menu of a cell");
  await editor.shot("cell-menu");
  await keys.press("Escape");
  await at(1, counts).click();
  await at(4, prices).click({ modifiers: ["Shift"] });
  await keys.press("Control+d");
  await untilColumn(editor, frame, counts, ["10", "10", "10", "10", "50", "60"]);
  await untilColumn(editor, frame, prices, ["0.25", "0.25", "0.25", "0.25"]);
  await undo();

  await editor.copy("1\tkiwis\t0.5\n2\tlimes\tfree");
  await at(2, counts).click();
  await keys.press("Control+v");
  await frame.locator(".cell.wrong").waitFor();
  assert.equal(await frame.locator(".cell.wrong").getAttribute("id"), `cell-2-${prices}`);
  await untilColumn(editor, frame, counts, before);
  await editor.shot("refused-cells");
  await editor.copy("1\tkiwis\t0.5\n2\tlimes\t7");
  await at(2, counts).click();
  await keys.press("Control+v");
  await untilColumn(editor, frame, counts, ["10", "1", "2", "40", "50", "60"]);
  await undo();

  await at(2, 0).click();
  await keys.press("Shift+ArrowDown");
  await at(5, 0).click({ modifiers: ["Control"] });
  await keys.press("Delete");
  await editor.until("three rows less", async () => (await count(frame)) === "3 rows");
  await undo();
  await frame.locator("#grid").focus();
  await keys.press("Control+a");
  assert.match((await frame.locator("#count").textContent()) ?? "", /18 cells in 6 rows selected/);
  await keys.press("Control+c");
  await editor.until("six rows", async () => (await editor.clipboard()).split("\n").length === 6);
  assert.equal((await editor.clipboard()).split("\n")[1], "2\t20\tpears\t0.5");
  await keys.press("Home");
}

async function openImport(editor: Editor, file: string): Promise<Frame> {
  await editor.run("Lua Persist: Import Rows…");
  await editor.choose(file);
  const frame = await editor.frameWith(`#rows[aria-label="First rows of ${file}"]`);
  await frame.locator("#rows th").first().waitFor();
  return frame;
}

async function untilStatus(editor: Editor, frame: Frame, wanted: RegExp): Promise<void> {
  await editor.until(`the status ${wanted}`, async () =>
    wanted.test((await frame.locator("#status").textContent()) ?? ""),
  );
}

/** A file looked at before it is imported; what is wrong in one; one that is cancelled; undo. */
async function importing(editor: Editor): Promise<void> {
  const bad = await openImport(editor, "bad-plants.csv");
  await bad.locator("#key").selectOption("id");
  await editor.until("the problems", async () => (await bad.locator("#problems li").count()) === 3);
  const told = (await bad.locator("#problems li").allTextContents()).join("\n");
  assert.match(told, /line 3 2 fields.*\n.*line 4 column id, the key, is empty\n.*line 5 the key/);
  assert.ok(await bad.locator("#run").isDisabled());
  await editor.shot("import-problems");
  await assertAccessible(bad, "an import with problems");
  await bad.locator("#problems .link").first().click();
  await editor.page.waitForSelector('.tab.active[data-resource-name="bad-plants.csv"]');
  await editor.page.keyboard.press("Control+w");

  const frame = await openImport(editor, "plants.csv");
  await frame.locator("#key").selectOption("id");
  await frame.locator('select[data-column="days"]').selectOption("text");
  await frame.locator('select[data-column="zip"]').selectOption("skip");
  await frame.locator("td.skipped").first().waitFor();
  await editor.until("the key", async () => (await frame.locator("td.type-string").count()) > 0);
  await editor.shot("import");
  await frame.locator("#table").fill("stock");
  await frame.locator("#run").click();
  // What the schema forbids is found when it is stored, and told with its place.
  await untilStatus(editor, frame, /^Nothing is stored\. line 2: stock\.fern\.days: expected/);
  await frame.locator("#table").fill("plants");
  await frame.locator("#run").click();
  await untilStatus(editor, frame, /^3 rows are stored in plants\.$/);
  await frame.locator("#open").click();
  const grid = await editor.grid("plants");
  const heads = (await grid.locator(".head .cell .sort").allTextContents()).join(" ");
  assert.match(heads, /days\s*string/);
  assert.doesNotMatch(heads, /zip/);
  assert.equal(await grid.locator("#cell-0-0").textContent(), "aloe");
  await editor.page.keyboard.press("Control+w");
  await frame.locator("#undo").click();
  await untilStatus(editor, frame, / was undone; /);

  const long = await openImport(editor, "log.jsonl");
  assert.match((await long.locator("#facts").textContent()) ?? "", /Nothing is stored yet/);
  await long.locator("#run").click();
  await long.locator("#progress[value]").waitFor();
  await editor.shot("import-progress");
  await long.locator("#cancel").click();
  await untilStatus(editor, long, /^Nothing is stored\. The import was cancelled\.$/);
  await editor.run("View: Close All Editors");
}

/** Pictures of columns, with their text alternatives; sampled where there are too many points. */
async function charts(editor: Editor): Promise<void> {
  const frame = await openGrid(editor, "people");
  const control = (name: string) => frame.locator(`.controls select[name="${name}"]`);
  const untilLabel = async (wanted: RegExp) =>
    editor.until(`the picture ${wanted}`, async () =>
      wanted.test((await frame.locator('.chart [role="img"]').getAttribute("aria-label")) ?? ""),
    );
  await frame.locator(".head .cell", { hasText: "age" }).locator(".more").click();
  await frame.locator(".menu button", { hasText: "Chart" }).click();
  await untilLabel(/^Histogram of age, 0 to 88\. 100,000 numbers of 100,000 rows\.$/);
  await frame.locator(".chart canvas").waitFor();
  await editor.shot("chart-histogram");
  await control("Chart").selectOption("scatter");
  await control("Up").selectOption("score");
  await control("Across").selectOption("age");
  await untilLabel(/^Scatter of score from .* over age from .*\. 2,000 of 90,\d+ points, chosen/);
  await editor.shot("chart");
  await frame.locator(".chart summary").click();
  assert.equal(await frame.locator(".chart details tbody tr").count(), 10);
  await assertAccessible(frame, "a scatter chart");
  await frame.locator("#query").fill("@key <= 200");
  await frame.locator("#query").press("Enter");
  await untilLabel(/all 18\d points\. 1\d of 200 rows lack one of the two numbers\.$/);
  await control("Chart").selectOption("line");
  await control("Across").selectOption("@key");
  await untilLabel(/^Line of score/);
  await editor.shot("chart-line");
  await control("Chart").selectOption("groups");
  await control("Groups by").selectOption("city");
  await control("Shows the").selectOption("avg");
  await control("of").selectOption("age");
  await editor.until("the means", async () =>
    /mean age by city\. All 5 groups/.test((await frame.locator(".chart").textContent()) ?? ""),
  );
  assert.equal(await frame.locator(".bars li").count(), 5);
  await editor.shot("chart-groups");
  await assertAccessible(frame, "bars of groups");
  await frame.locator("#query").fill("");
  await frame.locator("#query").press("Enter");
  await frame.locator("#side .close").click();
}

/** A million rows: how long until the first page is there, and how smoothly it scrolls. */
async function million(editor: Editor, measured: Record<string, number>): Promise<void> {
  const started = Date.now();
  const frame = await openGrid(editor, "numbers");
  measured.open_million_ms = Date.now() - started;
  assert.equal(await count(frame), "1,000,000 rows");
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

/** The prompt in a terminal. */
async function repl(editor: Editor): Promise<void> {
  await editor.run("Lua Persist: Open REPL");
  await editor.page.locator(".terminal-wrapper.active .xterm-screen").click();
  const lines = [
    'Memory.greet("you")',
    "for i = 1, 3 do",
    "print(i, i * i) end",
    'ext.count("people", { where = { "age", ">", 30 } })',
    "nothing.there",
  ];
  for (const line of lines) {
    await editor.page.keyboard.type(line);
    await editor.page.keyboard.press("Enter");
    await editor.page.waitForTimeout(400);
  }
  await editor.shot("repl");
  await editor.page.keyboard.press("Control+j");
}

/** A notebook with text, a grid and an error. */
async function notebook(editor: Editor): Promise<void> {
  await editor.openNotebook("story.luanb");
  await editor.page.getByRole("button", { name: "Run All" }).first().click();
  await editor.until("the grid of rows", async () => {
    for (const frame of editor.page.frames()) {
      if ((await frame.$(".lua-grid").catch(() => null)) !== null) return true;
    }
    return false;
  });
  // The last cell fails, and is out of sight: the toolbar offers to go there.
  await editor.page.getByRole("button", { name: "Go To" }).first().waitFor();
  await editor.shot("notebook");
}

/** The same screen in light and in high contrast. */
async function themes(editor: Editor): Promise<void> {
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
