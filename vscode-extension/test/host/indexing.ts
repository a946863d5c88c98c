// Indexes made from the tree: what is offered for a table, and two times Enter.

import * as assert from "node:assert/strict";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import type { InspectEntry, LuaValue } from "../../src/protocol";
import { type Field, fieldsOf, fitting, KINDS, linesFor } from "../../src/views/indexFields";
import { enter, watchingPicks } from "./dialogs";
import { api, evaluated, execute, findNode, nodeTexts, until } from "./helpers";

const DATA = `
for i = 1, 3 do
  ext.table("trees")[i] = {
    name = "t" .. i, height = i, tags = { "old" }, place = { city = "Rome", ["zip code"] = "00100" },
  }
end
`;

function field(text: string, ...types: string[]): Field {
  return { text, types: new Set(types) };
}

const KNOWN = [field("age", "integer"), field("city", "string"), field('["a, b"]', "string")];

function checkLines(text: string, wanted: string[], several = true): void {
  it(`makes of “${text}”${several ? "" : ", of one field,"} what could be meant`, () => {
    const lines = linesFor(text, KNOWN, several);
    assert.deepEqual(
      lines.map(({ fields, typed }) => `${fields.join(" + ")}${typed ? " typed" : ""}`),
      wanted,
    );
  });
}

function value(of: unknown): LuaValue {
  if (typeof of === "object" && of !== null) {
    const isList = Array.isArray(of);
    const entries = Object.entries(of).map(([key, inner]) => ({
      key: isList
        ? { type: "integer", text: String(Number(key) + 1) }
        : { type: "string", text: JSON.stringify(key), content: key },
      value: value(inner),
    }));
    return { type: "table", text: "{...}", entries };
  }
  return { type: typeof of === "number" ? "integer" : typeof of, text: String(of) };
}

function rows(...of: unknown[]): InspectEntry[] {
  const key = { type: "integer", text: "1" };
  return of.map((row) => ({ key, value: value(row), path: "t[1]", expandable: true }));
}

function told(fields: readonly Field[]): string[] {
  return fields.map(({ text, types }) => `${text}: ${[...types].join(", ")}`);
}

export function indexingSuite(): void {
  checkLines("", ["age", "city", '["a, b"]']);
  checkLines("ci", ["city", "ci typed"]);
  checkLines("city", ["city"]);
  checkLines("city,", ["city + age", 'city + ["a, b"]', "city typed"]);
  checkLines("city , A", ["city + age", 'city + ["a, b"]', "city + A typed"]);
  checkLines("city, home.street", ["city + home.street typed"]);
  checkLines('["a, b"], a', ['["a, b"] + age', '["a, b"] + a typed']);
  checkLines("city, age", [], false);

  it("finds the fields of rows, as deep as they are", () => {
    const found = fieldsOf(
      rows({ n: 1, at: { x: 1, deep: { "no name": "y" } } }, { n: "one", tags: ["a"] }),
      null,
    );
    assert.deepEqual(told(found), [
      "n: integer, string",
      "at.x: integer",
      'at.deep["no name"]: string',
      "tags: list",
    ]);
    assert.deepEqual(told(fieldsOf(rows(1, 2), null)), ["@value: integer"]);
  });

  it("finds the fields of a schema first", () => {
    const fields = {
      name: "string?",
      size: { type: "integer", min: 0 },
      tags: "string[]",
      parts: { array: "string" },
      role: { enum: ["admin", "user"] },
      home: { fields: { city: "string" }, optional: true },
      other: "table",
    };
    assert.deepEqual(told(fieldsOf(rows({ extra: 1, name: "x" }), { fields })), [
      "name: string",
      "size: integer",
      "tags: list",
      "parts: list",
      "role: string",
      "home.city: string",
      "other: table",
      "extra: integer",
    ]);
  });

  it("offers the fields that a kind is good for", () => {
    const all = [
      field("n", "integer"),
      field("s", "string"),
      field("l", "list"),
      field("t", "table"),
    ];
    const offered = KINDS.map((kind) =>
      fitting(all, kind)
        .map(({ text }) => text)
        .join(),
    );
    assert.deepEqual(offered, ["n,s", "n,s", "l", "s"]);
  });

  describe("with the server", () => {
    before(async () => {
      await evaluated(DATA);
    });

    async function indexes(): Promise<string[]> {
      const { server } = await api();
      const { indexes: found } = await server.call("indexes", { table: "trees" });
      return found.map(({ fields, kind, unique }) =>
        [fields.join(" + "), kind, unique ? "unique" : ""].join(" ").trim(),
      );
    }

    async function trees() {
      return findNode((await api()).views.tables, "trees");
    }

    it("makes an ordered one at two times Enter, and offers another one then", async () => {
      const node = await trees();
      await watchingPicks(async (next) => {
        const made = execute(COMMANDS.createIndex, node);
        await enter(await next(), "Ordered");
        await enter(await next(), "height");
        await made;
      });
      assert.deepEqual(await indexes(), ["height btree"]);
      await watchingPicks(async (next) => {
        const given = execute(COMMANDS.createIndex, node);
        await enter(await next(), "Ordered");
        const pick = await next();
        await until("the fields", () => pick.items.length > 0);
        assert.deepEqual(
          pick.items.map(({ label, description }) => `${label}: ${description}`),
          [
            "name: string",
            "place.city: string",
            'place["zip code"]: string',
            "height: there is one",
          ],
        );
        pick.hide();
        await given;
      });
    });

    it("makes one of several fields as they are typed, of a kind, after a step back", async () => {
      const { views } = await api();
      const node = await trees();
      await watchingPicks(async (next) => {
        const made = execute(COMMANDS.createIndex, node);
        await enter(await next(), "Ordered");
        const before = await next();
        await until("the fields", () => before.items.length > 0);
        await vscode.commands.executeCommand("workbench.action.quickInputBack");
        const kinds = await next();
        kinds.value = "Unique hash";
        await enter(kinds, "Unique hash");
        const fields = await next();
        await until("the fields", () => fields.items.length > 0);
        fields.value = "place.city, hei";
        await enter(fields, "place.city, height");
        await made;
      });
      assert.ok((await indexes()).includes("place.city + height hash unique"));
      const list = await findNode(views.tables, "Indexes", await trees());
      assert.ok(
        (await nodeTexts(views.tables, list)).includes("place.city, height: hash · unique"),
      );
    });

    it("drops one kind, and leaves the other", async () => {
      const { views, server } = await api();
      await server.call("createIndex", { table: "trees", fields: ["name"] });
      await server.call("createIndex", { table: "trees", fields: ["name"], kind: "text" });
      const list = await findNode(views.tables, "Indexes", await trees());
      const words = await until("the index of words", async () =>
        (await views.tables.getChildren(list)).find(
          ({ item }) => item.label === "name" && item.description === "text",
        ),
      );
      await execute(COMMANDS.dropIndex, words);
      const left = (await indexes()).filter((index) => index.startsWith("name "));
      assert.deepEqual(left, ["name btree"]);
    });
  });
}
