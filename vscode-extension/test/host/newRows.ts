// What copied lines become as new rows.

import * as assert from "node:assert/strict";
import { exampleOf, planRows, startOfRows, type Target } from "../../src/grid/page/newRows";

const COLUMNS = [
  { name: "name", types: { string: 3 } },
  { name: "age", types: { integer: 3 } },
  { name: '["zip code"]', types: {} },
];
const LIST: Target = { name: "log", columns: COLUMNS, isList: true, keyType: "integer" };
const MAP: Target = { name: "users", columns: COLUMNS, isList: false, keyType: "string" };
const NUMBERS: Target = {
  name: "squares",
  columns: [{ name: "@value", types: { integer: 2 } }],
  isList: true,
  keyType: "integer",
};
const EMPTY: Target = { name: "fresh", columns: [], isList: true, keyType: undefined };

function check(title: string, target: Target, start: number, text: string, wanted: string): void {
  it(title, () => {
    const lines = text.split("\n").map((line) => line.split("|"));
    let told: string;
    try {
      const { rows, left, empty } = planRows(lines, start, target);
      const shown = rows.map(({ line, key, value }) => `${line}: ${key ?? "-"} ${value}`);
      told = [
        ...shown,
        ...(left ? [`left ${left}`] : []),
        ...(empty ? [`empty ${empty}`] : []),
      ].join("; ");
    } catch (error) {
      told = String(error);
    }
    assert.equal(told, wanted);
  });
}

export function newRowsSuite(): void {
  check(
    "follow a list",
    LIST,
    1,
    "Ann|41\nBob|old",
    '1: - { name = "Ann", age = 41 }; 2: - { name = "Bob", age = "old" }',
  );
  check("begin in any column", LIST, 2, "41|0049", '1: - { age = 41, ["zip code"] = "0049" }');
  check("of a list leave their keys", LIST, 0, "7|Ann|41", '1: - { name = "Ann", age = 41 }');
  check("keep text where text is", LIST, 1, "12|x", '1: - { name = "12", age = "x" }');
  check("leave out what has no column", LIST, 3, "1|2||3", '1: - { ["zip code"] = 1 }; left 2');
  check("leave out empty lines", LIST, 1, "\nAnn\n|", '2: - { name = "Ann" }; empty 2');
  check(
    "take the first column as key",
    MAP,
    0,
    "ann|Ann|41\n7|Bob",
    '1: "ann" { name = "Ann", age = 41 }; 2: "7" { name = "Bob" }',
  );
  check("may have a key alone", MAP, 0, "ann", '1: "ann" {  }');
  check(
    "with numbers for keys",
    { ...MAP, keyType: "integer" },
    0,
    "7|Ann",
    '1: 7 { name = "Ann" }',
  );
  check("need a key each", MAP, 0, "ann|Ann\n|Bob", "Error: Line 2 of what was copied has no key.");
  check(
    "of a map cannot go without keys",
    MAP,
    1,
    "Ann|41",
    "Error: The rows of users have keys of their own, so new ones need them: copy the keys as the first column, and paste at a cell of the column “key”.",
  );
  check("may be values", NUMBERS, 1, "49\n64", "1: - 49; 2: - 64");
  check("may be the first values of all", EMPTY, 0, "1\nx", '1: - 1; 2: - "x"');
  it("need columns to have fields", () => {
    assert.throws(
      () => planRows([["a", "b"]], 0, EMPTY),
      /no columns yet. Add a first row \(Insert\)/,
    );
  });
  it("are a value, or have fields", () => {
    const mixed = { ...LIST, columns: [...COLUMNS, { name: "@value", types: {} }] };
    const plan = planRows([["Ann"], ["", "", "", "1"]], 1, mixed);
    assert.deepEqual(
      plan.rows.map(({ value }) => value),
      ['{ name = "Ann" }', "1"],
    );
    assert.throws(() => planRows([["Ann", "", "", "1"]], 1, mixed), /both a value and fields/);
  });
  it("are shown by an example with the columns that there are", () => {
    const mixed = { ...LIST, columns: [{ name: "ok", types: { boolean: 1 } }, ...COLUMNS] };
    assert.deepEqual(
      [LIST, MAP, { ...MAP, keyType: "integer" }, NUMBERS, EMPTY, mixed].map(exampleOf),
      [
        '{ name = "…", age = 1, ["zip code"] = 1 }',
        'ann = { name = "…", age = 1, ["zip code"] = 1 }',
        '[7] = { name = "…", age = 1, ["zip code"] = 1 }',
        "1",
        "ann = { age = 41 }",
        '{ ok = true, name = "…", age = 1 }',
      ],
    );
  });
  it("are told by their line", () => {
    assert.deepEqual(
      planRows([["Ann"], [""], ["Bob"]], 1, LIST, 5).rows.map(({ line }) => line),
      [5, 7],
    );
  });
  it("begin with keys, where there are more columns than the list has", () => {
    assert.equal(startOfRows([["1", "Ann", "41", ""]], LIST), 0);
    assert.equal(startOfRows([["Ann", "41", ""]], LIST), 1);
    assert.equal(startOfRows([["ann", "Ann"]], MAP), 0);
  });
}
