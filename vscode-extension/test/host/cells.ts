// What needs no editor of the table editor: selections, and cells that are pasted.

import * as assert from "node:assert/strict";
import { bins, numberOf, rangeText, shareText } from "../../src/grid/page/chartData";
import { blockText, isBlock, literalOf, parseBlock } from "../../src/grid/page/pasting";
import { Selection } from "../../src/grid/page/selection";
import type { LuaValue } from "../../src/protocol";

const SIZE = { rows: 100, lines: 100, columns: 5 };

/** Selected rows and columns, such as `0-1: 1,2`. */
function checkSelection(title: string, act: (selection: Selection) => void, wanted: string): void {
  it(title, () => {
    const selection = new Selection(() => SIZE);
    act(selection);
    const strips = selection
      .strips()
      .map(({ top, bottom, columns }) => `${top}-${bottom}: ${columns.join(",")}`);
    assert.equal(strips.join(" | "), wanted);
  });
}

function checkLiteral(text: string, wanted: string, before?: LuaValue, types: string[] = []): void {
  it(`takes ${JSON.stringify(text)} as ${wanted}`, () => {
    assert.equal(literalOf(text, before, types), wanted);
  });
}

export function cellsSuite(): void {
  checkSelection("is one cell", (it) => it.moveTo(3, 2), "3-3: 2");
  checkSelection(
    "extends to a block",
    (it) => {
      it.moveTo(3, 2);
      it.moveTo(1, 4, true);
    },
    "1-3: 2,3,4",
  );
  checkSelection(
    "of keys is whole rows",
    (it) => {
      it.moveTo(3, 0);
      it.moveTo(4, 0, true);
    },
    "3-4: 0,1,2,3,4",
  );
  checkSelection(
    "adds cells, and takes one away again",
    (it) => {
      it.moveTo(1, 1);
      it.toggle(3, 2);
      it.toggle(3, 4);
      it.toggle(1, 1);
    },
    "3-3: 2,4",
  );
  checkSelection(
    "takes the last one away that was added",
    (it) => {
      it.moveTo(1, 1);
      it.toggle(3, 2);
      it.toggle(3, 2);
    },
    "1-1: 1",
  );
  checkSelection(
    "has each row once where blocks overlap",
    (it) => {
      it.moveTo(1, 1);
      it.moveTo(4, 2, true);
      it.toggle(3, 2);
      it.moveTo(6, 3, true);
    },
    "1-2: 1,2 | 3-4: 1,2,3 | 5-6: 2,3",
  );
  checkSelection("has everything", (it) => it.selectAll(), "0-99: 0,1,2,3,4");
  checkSelection(
    "has whole columns",
    (it) => {
      it.moveTo(3, 2);
      it.selectColumns();
    },
    "0-99: 2",
  );
  checkSelection("stays inside", (it) => it.moveTo(1_000, 9), "99-99: 4");
  it("has no part in the line for a new row, which can be active", () => {
    const selection = new Selection(() => ({ ...SIZE, lines: 101 }));
    selection.moveTo(1_000, 2);
    assert.equal(selection.row, 100);
    selection.moveTo(98, 2, true);
    assert.deepEqual(selection.blocks(), [{ top: 98, bottom: 99, left: 2, right: 2 }]);
    selection.moveTo(98, 2);
    selection.moveTo(100, 2, true);
    assert.equal(selection.row, 99);
    selection.selectAll();
    assert.equal(selection.rowCount, 100);
  });

  it("counts cells with values, each once", () => {
    const selection = new Selection(() => SIZE);
    selection.moveTo(0, 0);
    selection.moveTo(1, 0, true);
    selection.toggle(1, 3);
    assert.deepEqual([selection.cellCount, selection.rowCount], [8, 2]);
    assert.equal(selection.isOneCell, false);
    selection.selectAll();
    assert.deepEqual([selection.cellCount, selection.rowCount], [400, 100]);
  });

  it("reads what spreadsheets copy", () => {
    assert.deepEqual(parseBlock("a\tb\r\n1\t\r\n"), [
      ["a", "b"],
      ["1", ""],
    ]);
    assert.deepEqual(parseBlock('"two\nlines"\t"a ""b"""\nx'), [["two\nlines", 'a "b"'], ["x"]]);
    assert.deepEqual(parseBlock('say "hi"\t"open'), [['say "hi"', '"open']]);
    assert.deepEqual(parseBlock("one\n\ntwo"), [["one"], [""], ["two"]]);
    assert.deepEqual(parseBlock(""), []);
  });

  it("tells cells from rows that Lua has written", () => {
    for (const text of ["a\tb", "a\n1", "{}\tx\n1\t2", "a = 1\tb"]) assert.ok(isBlock(text), text);
    for (const text of ["a", "a\n", "{\n\tname = 1\n}", "ann = {\n\tage = 4,\n}", "1 = 2\n3"])
      assert.ok(!isBlock(text), text);
  });

  it("writes what it reads", () => {
    const cells = [
      ["plain", 'a\tb\n"c"', '"quoted"'],
      ["", "x", ""],
    ];
    assert.deepEqual(parseBlock(blockText(cells)), cells);
  });

  it("puts points into parts, for those who do not see them", () => {
    const points: [number, number][] = [
      [0, 4],
      [1, 2],
      [9, 1],
      [10, 3],
    ];
    assert.deepEqual(bins(points, 2), [
      { from: 0, to: 5, count: 2, least: 2, mean: 3, greatest: 4 },
      { from: 5, to: 10, count: 2, least: 1, mean: 2, greatest: 3 },
    ]);
    assert.deepEqual(bins([[7, 1]]), [
      { from: 7, to: 7, count: 1, least: 1, mean: 1, greatest: 1 },
    ]);
    assert.deepEqual(bins([]), []);
    const huge = bins([
      [-1.7e308, 1],
      [1.7e308, 1],
    ]);
    assert.deepEqual([huge.length, huge[1]?.to], [2, 1.7e308]);
  });

  it("says how many of how many are shown", () => {
    assert.equal(shareText(5, 5, 5), "all 5 points.");
    assert.match(shareText(2_000, 9_000, 9_001), /^2,000 of 9,000 points.* 1 of 9,001 rows lack/);
    assert.equal(rangeText("age", [3, -1, 2.5]), "age from -1 to 3");
    assert.equal(rangeText("age", []), "age");
    assert.equal(numberOf({ type: "integer", text: "12" }), 12);
    assert.equal(numberOf({ type: "float", text: "math.huge" }), undefined);
    assert.equal(numberOf({ type: "string", text: '"1"', content: "1" }), undefined);
  });

  const text: LuaValue = { type: "string", text: '"0049"', content: "0049" };
  const number: LuaValue = { type: "integer", text: "3" };
  checkLiteral("42", "42", number);
  checkLiteral("+4.5e3", "4.5e3", number);
  checkLiteral("0049", '"0049"', number);
  checkLiteral("42", '"42"', text);
  checkLiteral("42", '"42"', undefined, ["string", "integer"]);
  checkLiteral("42", "42", undefined, ["integer"]);
  checkLiteral("true", "true");
  checkLiteral("  ", "nil", text);
  checkLiteral("{1, 2}", "{1, 2}", { type: "table", text: "{}" });
  checkLiteral("{1, 2}", '"{1, 2}"', number);
  checkLiteral('a "b"\\\n\u0000é', '"a \\"b\\"\\\\\\n\\000é"');
}
