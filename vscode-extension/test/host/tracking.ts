// How results follow edits.

import * as assert from "node:assert/strict";
import { type Edit, moved, type Span } from "../../src/evaluate/tracking";

function span(text: string): Span {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(/[:-]/).map(Number);
  return { start: { line: a, character: b }, end: { line: c, character: d } };
}

function check(title: string, where: string, edit: string, text: string, wanted: string | null) {
  it(title, () => {
    const change: Edit = { range: span(edit), text };
    const got = moved(span(where), change);
    assert.deepEqual(got ?? null, wanted === null ? null : span(wanted));
  });
}

export function trackingSuite(): void {
  check("a line above shifts it", "3:0-4:5", "1:0-1:0", "new\n", "4:0-5:5");
  check("a removed line above shifts it", "3:0-4:5", "0:0-1:0", "", "2:0-3:5");
  check("an edit below leaves it", "3:0-4:5", "6:0-6:3", "x", "3:0-4:5");
  check("an edit inside ends it", "3:0-4:5", "3:2-3:3", "x", null);
  check("text right behind it ends it", "3:0-3:3", "3:3-3:3", "2", null);
  check("a new line right behind it does not", "3:0-3:3", "3:3-3:3", "\n  y", "3:0-3:3");
  check("text right before it ends it", "3:4-3:7", "3:4-3:4", "x", null);
  check("a new line right before it shifts it", "3:0-3:3", "3:0-3:0", "a\n", "4:0-4:3");
  check("an edit before it on its line shifts it", "3:4-3:7", "3:0-3:2", "abc", "3:5-3:8");
  check("an edit across its start ends it", "3:4-3:7", "2:0-3:5", "", null);
}
