// Pictures of columns.

import { assertAccessible } from "./accessible";
import type { Editor } from "./editor";
import { openGrid } from "./pages";

/** Pictures of columns, with their text alternatives; sampled where there are too many points. */
export async function charts(editor: Editor): Promise<void> {
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
  const rows = frame.locator(".chart details tbody tr");
  await editor.untilEqual("the rows", 10, () => rows.count());
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
  await editor.untilEqual("the bars", 5, () => frame.locator(".bars li").count());
  await editor.shot("chart-groups");
  await assertAccessible(frame, "bars of groups");
  await frame.locator("#query").fill("");
  await frame.locator("#query").press("Enter");
  await frame.locator("#side .close").click();
}
