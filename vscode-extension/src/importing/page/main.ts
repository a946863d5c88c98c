// The page of an import: the choices, the first rows as they would be stored, and what is wrong.

import type { FileProblem, ImportPreview } from "../../protocol";
import { byId, grouped, h } from "../../webview/dom";
import { Line } from "../../webview/line";
import type { Choices, ImportNews, ImportRequests, ImportState } from "../messages";
import "../../webview/base.css";
import "./import.css";
import { rowsTable } from "./rows";

const line = new Line<ImportRequests, ImportNews, ImportState>();
const NOT_YET = " Nothing is stored yet.";
const FORMATS = { csv: "CSV", json: "JSON", jsonl: "JSON Lines" };

const key = byId<HTMLSelectElement>("key");
const infer = byId<HTMLInputElement>("infer");
const replace = byId<HTMLInputElement>("replace");
const table = byId<HTMLInputElement>("table");
const start = JSON.parse(document.body.dataset.state ?? "{}") as ImportState;
/** What was chosen of columns that do not become what is inferred. */
const chosen = new Map<string, "text" | "skip">();
/** The column that is to be the key. */
let wantedKey = "";
/** What was told of the import, as long as it is done. */
let done: string | undefined;
let found: ImportPreview | undefined;
/** Answers to questions that were replaced since are dropped. */
let generation = 0;

function choices(): Choices {
  const named = (what: "text" | "skip") =>
    [...chosen].filter(([, choice]) => choice === what).map(([name]) => name);
  return {
    infer: infer.checked,
    replace: replace.checked,
    skip: named("skip"),
    ...(wantedKey === "" ? {} : { key: wantedKey }),
    ...(found === undefined || found.format === "csv" ? { text: named("text") } : {}),
  };
}

/** What the editor gives back when the window is loaded again. */
function keep(): void {
  line.keep({ ...start, table: table.value, choices: choices(), done });
}

/** Chooses what was chosen before the window was loaded again. */
function choose({ infer: infers, replace: replaces, key: column, skip, text }: Choices): void {
  infer.checked = infers !== false;
  replace.checked = replaces === true;
  wantedKey = column ?? "";
  for (const name of skip ?? []) chosen.set(name, "skip");
  for (const name of text ?? []) chosen.set(name, "text");
}

async function preview(): Promise<void> {
  keep();
  generation += 1;
  const asked = generation;
  byId("app").setAttribute("aria-busy", "true");
  try {
    const answer = await line.ask("preview", choices());
    if (asked !== generation) return;
    found = answer;
    draw(answer);
    if (wantedKey !== key.value) {
      // The file has changed since it was chosen.
      wantedKey = key.value;
      void preview();
    }
  } catch (error) {
    if (asked !== generation) return;
    showProblems([{ message: reasonOf(error), line: null, column: null }], 1);
    byId<HTMLButtonElement>("run").disabled = true;
  } finally {
    if (asked === generation) byId("app").removeAttribute("aria-busy");
  }
}

function draw(preview: ImportPreview): void {
  const checked = preview.complete
    ? `all ${counted(preview.rows_checked)} were checked`
    : `the first ${counted(preview.rows_checked)} were checked; the import checks all of them`;
  byId("facts").textContent =
    `${FORMATS[preview.format]}, ${grouped(preview.bytes)} bytes. Below are the first ${grouped(preview.rows.length)} rows; ${checked}.${done === undefined ? NOT_YET : ""}`;
  byId("infer-label").hidden = preview.format !== "csv";
  drawKeys(preview);
  showProblems(preview.problems, preview.problem_count);
  byId("rows").replaceChildren(
    rowsTable(preview, {
      choiceOf: (name) => chosen.get(name) ?? "",
      choose: (name, choice) => {
        if (choice === "") chosen.delete(name);
        else chosen.set(name, choice);
        void previewAgain(name);
      },
      infers: infer.checked,
      key: key.value,
    }),
  );
  byId<HTMLButtonElement>("run").disabled =
    preview.columns.length === 0 || preview.problem_count > 0;
}

/** Draws again, and gives the focus back to the choice that was made. */
async function previewAgain(name: string): Promise<void> {
  await preview();
  if (!document.hasFocus()) return;
  for (const select of document.querySelectorAll<HTMLSelectElement>("#rows select")) {
    if (select.dataset.column === name) select.focus();
  }
}

function drawKeys({ columns }: ImportPreview): void {
  const own = columns.some(({ name }) => name === "@key");
  const names = columns.map(({ name }) => name).filter((name) => name !== "@key");
  key.replaceChildren(
    h("option", { value: "" }, own ? "@key" : "none: rows are numbered"),
    ...names.map((name) => h("option", { value: name }, name)),
  );
  key.value = names.includes(wantedKey) ? wantedKey : "";
}

function showProblems(problems: readonly FileProblem[], count: number): void {
  const element = byId("problems");
  element.hidden = problems.length === 0;
  const lines = problems.map((problem) => {
    const place = placeText(problem);
    const item = h("li");
    if (problem.line !== null) {
      const button = h("button", { class: "link", type: "button" }, place);
      button.addEventListener("click", () => {
        void line.ask("openFile", { line: problem.line, column: problem.column });
      });
      item.append(button, " ");
    }
    item.append(problem.message);
    return item;
  });
  const more = count - problems.length;
  if (more > 0) lines.push(h("li", { class: "quiet" }, `and ${grouped(more)} more`));
  const title = count === 1 ? "One problem" : `${grouped(count)} problems`;
  element.replaceChildren(
    h("h2", {}, `${title}: an import would store nothing.`),
    h("ul", {}, ...lines),
  );
}

function placeText({ line: at, column }: FileProblem): string {
  return column === null ? `line ${at}` : `line ${at}, column ${column}`;
}

async function run(): Promise<void> {
  const into = table.value.trim();
  if (into === "") return;
  busy(true);
  say(`Importing into ${into}…`);
  const outcome = await line.ask("run", { table: into, choices: choices() });
  busy(false);
  if ("problem" in outcome) {
    const { problem } = outcome;
    const place = problem.line === null ? "" : `${placeText(problem)}: `;
    say(`Nothing is stored. ${place}${problem.message}`, true);
    if (problem.line !== null) showProblems([problem], 1);
    return;
  }
  done = `${counted(Number(outcome.rows))} ${outcome.rows === "1" ? "is" : "are"} stored in ${into}.`;
  say(done);
  keep();
  const facts = byId("facts");
  facts.textContent = (facts.textContent ?? "").replace(NOT_YET, "");
  show({ undo: true, open: true });
  focusOn("open");
}

async function undo(): Promise<void> {
  try {
    say((await line.ask("undo", {})).text);
    done = undefined;
    keep();
    show({});
    focusOn("run");
  } catch (error) {
    say(reasonOf(error), true);
  }
}

function busy(isBusy: boolean): void {
  const progress = byId<HTMLProgressElement>("progress");
  progress.hidden = !isBusy;
  progress.removeAttribute("value");
  byId<HTMLButtonElement>("run").disabled = isBusy;
  show({ cancel: isBusy });
  // The button that had the focus is gone or disabled.
  focusOn(isBusy ? "cancel" : "run");
}

/** Gives the focus to an element, if the page has it at all. */
function focusOn(id: string): void {
  if (document.hasFocus()) byId(id).focus();
}

function show(shown: { cancel?: boolean; undo?: boolean; open?: boolean }): void {
  byId("cancel").hidden = shown.cancel !== true;
  byId("undo").hidden = shown.undo !== true;
  byId("open").hidden = shown.open !== true;
}

function say(text: string, isError = false): void {
  const element = byId("status");
  element.textContent = text;
  element.className = isError ? "error" : "";
}

function counted(count: number): string {
  return `${grouped(count)} ${count === 1 ? "row" : "rows"}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

line.listen(({ message, percentage }) => {
  const progress = byId<HTMLProgressElement>("progress");
  if (percentage !== null) progress.value = percentage;
  say(`Importing: ${message} bytes`);
});
key.addEventListener("change", () => {
  wantedKey = key.value;
  void preview();
});
for (const input of [infer, replace]) input.addEventListener("change", () => void preview());
table.addEventListener("input", keep);
byId("choices").addEventListener("submit", (event) => {
  event.preventDefault();
  void run();
});
const open = () => void line.ask("openTable", { table: table.value.trim() });
byId("open").addEventListener("click", open);
byId("undo").addEventListener("click", () => void undo());
byId("cancel").addEventListener("click", () => void line.ask("cancel", {}));
byId("file").addEventListener("click", () => {
  void line.ask("openFile", { line: null, column: null });
});
if (start.choices !== undefined) choose(start.choices);
done = start.done;
if (done !== undefined) {
  // What was evaluated since is not known, so there is no undo.
  say(`${done} That was before the window was loaded again.`);
  show({ open: true });
}
void preview();
