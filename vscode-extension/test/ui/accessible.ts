// Whether a page can be used without seeing it, as far as a machine can tell.

import * as assert from "node:assert/strict";
import axe from "axe-core";
import type { Frame } from "playwright-core";

/** Checks a page by the rules of WCAG 2.2 AA and those that are good practice. */
export async function assertAccessible(frame: Frame, what: string): Promise<void> {
  await frame.evaluate(axe.source);
  const found = await frame.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof import("axe-core") }).axe.run(
      document,
      {
        resultTypes: ["violations"],
        // The grid has the focus, and scrolls to the cell that its keys go to.
        rules: { "scrollable-region-focusable": { enabled: false } },
      },
    );
    return violations.map(({ id, nodes }) => {
      const places = nodes.slice(0, 5).map((node) => `${node.html} (${node.failureSummary})`);
      return `${id}: ${places.join("; ")}`;
    });
  });
  assert.deepEqual(found, [], `${what} is not accessible`);
}
