// What needs no editor: the prompt's line, notebooks as text, conditions, formats.

import * as assert from "node:assert/strict";
import { problemText } from "../../src/evaluate/results";
import { lineOf, parseLine, whereOf } from "../../src/grid/page/conditions";
import { formatted } from "../../src/grid/page/formats";
import { notebookText, parseNotebook, type TextCell } from "../../src/notebook/format";
import { gridHtml } from "../../src/notebook/outputs";
import type { Frame, LuaValue, Problem, Row } from "../../src/protocol";
import { columnsOf, LineEditor } from "../../src/repl/lineEditor";
import { locationsIn } from "../../src/repl/locations";

const LEFT = "\x1b[D";
const UP = "\x1b[A";
const DOWN = "\x1b[B";

function typed(...pieces: string[]): LineEditor {
  const editor = new LineEditor(["one", "two\nlines"], { first: "> ", next: "| " }, 20);
  for (const piece of pieces) editor.take(piece);
  return editor;
}

function checkLine(title: string, pieces: string[], wanted: string): void {
  it(title, () => {
    const { text, cursor } = typed(...pieces);
    assert.equal(`${text.slice(0, cursor)}^${text.slice(cursor)}`, wanted);
  });
}

function checkConditions(line: string, wanted: unknown): void {
  it(`reads ${line}`, () => {
    const conditions = parseLine(line);
    assert.deepEqual(whereOf(conditions), wanted);
    assert.deepEqual(parseLine(lineOf(conditions)), conditions);
  });
}

function string(content: string): LuaValue {
  return { type: "string", text: JSON.stringify(content), content };
}

function integer(text: string): LuaValue {
  return { type: "integer", text };
}

export function pureSuite(): void {
  checkLine("types", ["abc"], "abc^");
  checkLine("goes left and deletes", ["abc", LEFT, "\x7f"], "a^c");
  checkLine("deletes characters of two units whole", ["a😀", "\x7f"], "a^");
  checkLine("deletes a word", ["foo bar", "\x17"], "foo ^");
  checkLine("goes to the start and kills the rest", ["abc", "\x01", "\x0b"], "^");
  checkLine("goes back in the history", [UP], "two\nlines^");
  checkLine("moves in a text of several lines first", [UP, UP], "two^\nlines");
  checkLine("keeps the draft", ["x", UP, UP, UP, DOWN, DOWN], "x^");
  checkLine("puts a line end where Alt+Enter is pressed", ["a", "\x1b\r", "b"], "a\nb^");
  checkLine("takes pasted lines as text", ["a\nb"], "a\nb^");

  it("submits at Enter, and a paste that ends with a line end", () => {
    const editor = typed("abc");
    assert.deepEqual(editor.take("\r"), [{ kind: "submit", text: "abc" }]);
    assert.deepEqual(typed().take("x = 1\ny = 2\n"), [{ kind: "submit", text: "x = 1\ny = 2" }]);
  });

  it("draws over what it drew, also where the line wraps", () => {
    const editor = typed("a".repeat(25));
    editor.draw();
    const wanted = `\x1b[1A\r\x1b[J> ${"a".repeat(25)}\r\x1b[7C`;
    assert.equal(editor.draw(), wanted);
  });

  it("counts columns as terminals do: wide characters, marks, rows that are full", () => {
    const back = (text: string) => typed(text).draw().split("\r").at(-1);
    assert.equal(back("abc"), "\x1b[5C");
    assert.equal(back("你好"), "\x1b[6C");
    assert.equal(back("😀"), "\x1b[4C");
    assert.equal(back("e\u0301"), "\x1b[3C");
    // The third row begins with the character that no longer fits on the second one.
    assert.equal(columnsOf(`a${"你".repeat(10)}`, 20), 22);
    assert.equal(columnsOf(`a${"你".repeat(9)}b`, 20), 20);
    assert.equal(columnsOf("a你a", 2), 5);
    // Of a row that is full, the next character makes the next row: the cursor is put there.
    assert.equal(typed("a".repeat(18)).draw(), `\r\x1b[J> ${"a".repeat(18)} \r`);
    assert.equal(typed("a".repeat(18), "\x1b\r", "b").rows, 2);
    assert.equal(typed("a".repeat(19), "\x1b\r", "b").rows, 3);
  });

  it("finds places in what the prompt shows", () => {
    const places = (line: string) =>
      locationsIn(line).map(({ startIndex, length, lineNumber }) => [
        line.slice(startIndex, startIndex + length),
        lineNumber,
      ]);
    assert.deepEqual(places("shapes.lua:12: oops"), [["shapes.lua:12", 12]]);
    assert.deepEqual(places("\tlib/größe.lua:3: in function 'f'"), [["lib/größe.lua:3", 3]]);
    assert.deepEqual(places("\tmy tools/a b.lua:3: in main chunk"), [["my tools/a b.lua:3", 3]]);
    assert.deepEqual(places("\trepl 3:1: in main chunk"), []);
  });

  it("writes a traceback as Lua does", () => {
    const frame = (chunk: string, line: number | null): Frame => ({
      chunk,
      line,
      function: "function 'error'",
    });
    const problem = {
      chunk: "a.lua",
      line: 2,
      message: "oops",
      traceback: [frame("[C]", null), frame("a.lua", 2)],
    } as unknown as Problem;
    assert.equal(
      problemText(problem),
      "a.lua:2: oops\nstack traceback:\n\t[C]: in function 'error'\n\ta.lua:2: in function 'error'",
    );
  });

  checkConditions("age > 25", [["age", ">", 25]]);
  checkConditions('name = "A and B" and age exists', [
    ["name", "=", "A and B"],
    ["age", "exists"],
  ]);
  checkConditions("age between 20 and 30 and city = Rome", [
    ["age", "between", 20, 30],
    ["city", "=", "Rome"],
  ]);
  checkConditions("city in Rome, Oslo", [["city", "in", ["Rome", "Oslo"]]]);
  checkConditions("city not in (Rome, Oslo)", [["city", "not in", ["Rome", "Oslo"]]]);
  checkConditions("tags[1] = 'x'", [["tags[1]", "=", "x"]]);
  checkConditions("@key >= 10", [["@key", ">=", 10]]);
  checkConditions("ok = true and n != nil", [
    ["ok", "=", true],
    ["n", "!=", null],
  ]);

  it("has no conditions in an empty line, and refuses what is none", () => {
    assert.equal(whereOf(parseLine("  ")), undefined);
    assert.throws(() => parseLine("age"), /“age” is no condition/);
    assert.throws(() => parseLine("age >"), /no condition/);
  });

  const columns = [
    { name: "name", types: {} },
    { name: "age", types: {} },
  ];
  const rows: Row[] = [
    { key: string("ann"), path: "users.ann", cells: [string('A,"n'), integer("9007199254740993")] },
    { key: integer("2"), path: "users[2]", cells: [null, { type: "float", text: "1.5" }] },
  ];
  it("copies rows as CSV, JSON, Markdown and Lua", () => {
    assert.equal(
      formatted(rows, columns, "CSV"),
      'key,name,age\nann,"A,""n",9007199254740993\n2,,1.5\n',
    );
    assert.match(formatted(rows, columns, "JSON"), /"age": 9007199254740993/);
    assert.deepEqual(JSON.parse(formatted(rows, columns, "JSON"))[1], { "@key": 2, age: 1.5 });
    assert.match(formatted(rows, columns, "Markdown"), /\| ann \| A,"n \| 9007199254740993 \|/);
    assert.match(formatted(rows, columns, "Lua"), /\["ann"\] = \{ name = "A,\\"n", age = 9/);
  });

  const cells: TextCell[] = [
    { kind: "markdown", text: "# Title\n\ntext" },
    { kind: "lua", text: "local x = 1\n\nprint(x)\n" },
    { kind: "lua", text: "" },
    { kind: "lua", text: "--%% not a mark" },
  ];
  it("writes notebooks that read the same", () => {
    const text = notebookText(cells);
    const again = parseNotebook(text);
    assert.deepEqual(again.slice(0, 3), cells.slice(0, 3));
    assert.equal(again.length, cells.length);
    assert.equal(notebookText(again), text);
    assert.match(text, /^--%% markdown\n-- # Title\n--\n-- text\n\n--%% lua\n/);
  });

  it("reads any Lua file as a notebook", () => {
    assert.deepEqual(parseNotebook("print(1)\n--%%\nprint(2)\n"), [
      { kind: "lua", text: "print(1)" },
      { kind: "lua", text: "print(2)" },
    ]);
    assert.deepEqual(parseNotebook(""), []);
  });

  it("shows a table of tables as a grid, without markup of the values", () => {
    const row: LuaValue = {
      type: "table",
      text: "{}",
      entries: [{ key: string("name"), value: string("<b>") }],
    };
    const html = gridHtml({
      type: "table",
      text: "",
      entries: [{ key: integer("1"), value: row }],
    });
    assert.match(html ?? "", /<th>name<\/th>.*<td>&lt;b&gt;<\/td>/s);
    assert.equal(gridHtml(row), undefined);
  });

  it("shows what a query has found as a grid of its fields, with the cursor below", () => {
    const entry = (name: string, value: LuaValue) => ({ key: string(name), value });
    const table = (entries: LuaValue["entries"]): LuaValue => ({
      type: "table",
      text: "{...}",
      ...(entries === undefined ? {} : { entries }),
    });
    const row = (key: string, name: string) =>
      table([entry("key", string(key)), entry("value", table([entry("name", string(name))]))]);
    const html = gridHtml(
      table([
        { key: integer("1"), value: row("ann", "Ann") },
        { key: integer("2"), value: row("bob", "Bob") },
        entry("next", string("cursor")),
      ]),
    );
    assert.match(html ?? "", /<th><\/th><th>name<\/th>/);
    assert.match(html ?? "", /<th>ann<\/th><td>Ann<\/td>.*<th>bob<\/th><td>Bob<\/td>/s);
    assert.match(html ?? "", /<p class="more">next = &quot;cursor&quot;<\/p>/);
    const mixed = [{ key: integer("1"), value: integer("1") }, entry("a", table([]))];
    assert.equal(gridHtml(table(mixed)), undefined);
  });
}
