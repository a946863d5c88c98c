// The charts of a table: what is drawn, of which columns, with the same in words below.

import type { AggregateQuery, LuaValue } from "../../protocol";
import { grouped, h } from "../../webview/dom";
import { bins, numberOf, numberText, type Point, rangeText, shareText } from "./chartData";
import { shown } from "./formats";
import type { Drawn, Plot } from "./plot";
import { ask } from "./rpc";
import { reasonOf } from "./status";
import { NO_COLUMN, type TablePage } from "./table";

const POINTS_MAX = 2_000;
const GROUPS_MAX = 30;
const KINDS = {
  histogram: "Histogram",
  line: "Line",
  scatter: "Scatter",
  groups: "Bars of groups",
} as const;
const RESULTS = { count: "count", avg: "mean", sum: "sum", min: "least", max: "greatest" } as const;

type Kind = keyof typeof KINDS;
type Result = keyof typeof RESULTS;

export class ChartPanel {
  readonly element = h("div", { class: "chart" });
  private readonly controls = h("div", { class: "controls" });
  private readonly picture = h("div");
  private kind: Kind = "histogram";
  private x = "@key";
  private y = "";
  private result: Result = "count";
  private drawn: Drawn | undefined;
  /** Answers to questions that were replaced since are dropped. */
  private generation = 0;

  constructor(private readonly page: TablePage) {
    this.element.append(this.controls, this.picture);
  }

  /** Begins with a column. */
  choose(column: string): void {
    this.y = column;
    const isNumber = this.numeric().includes(column);
    this.kind = isNumber ? "histogram" : "groups";
    this.x = isNumber ? "@key" : column;
    if (!isNumber) this.result = "count";
  }

  /** Draws what is chosen, of the rows as they are now. */
  async refresh(): Promise<void> {
    this.generation += 1;
    if (this.page.rows.columns.length === 0) {
      this.controls.replaceChildren();
      this.picture.replaceChildren(h("p", { class: "quiet" }, NO_COLUMN));
      return;
    }
    this.drawControls();
    const generation = this.generation;
    try {
      const nodes = await this.content();
      if (generation !== this.generation) return;
      this.picture.replaceChildren(...nodes.map(({ node }) => node));
      for (const { drawn } of nodes) drawn?.();
    } catch (error) {
      if (generation !== this.generation) return;
      this.picture.replaceChildren(h("p", { class: "error", role: "alert" }, reasonOf(error)));
    }
  }

  private numeric(): string[] {
    const isNumeric = (types: Record<string, number>) => "integer" in types || "float" in types;
    return this.page.rows.columns.filter(({ types }) => isNumeric(types)).map(({ name }) => name);
  }

  private drawControls(): void {
    const numbers = this.numeric();
    const all = this.page.rows.columns.map(({ name }) => name);
    if (this.kind !== "groups" && !numbers.includes(this.y)) this.y = numbers[0] ?? "";
    const kind = this.select("Chart", Object.entries(KINDS), this.kind, (chosen) => {
      this.kind = chosen as Kind;
      if (this.kind === "groups" && this.x === "@key") this.x = all[0] ?? "@key";
    });
    const named = (names: string[]) => names.map((name): [string, string] => [name, name]);
    const parts = [kind];
    if (this.kind === "groups") {
      const results = Object.entries(RESULTS);
      parts.push(
        this.select("Groups by", named(all), this.x, (chosen) => {
          this.x = chosen;
        }),
        this.select("Shows the", results, this.result, (chosen) => {
          this.result = chosen as Result;
        }),
      );
      if (this.result !== "count") parts.push(this.selectY("of", numbers));
    } else {
      parts.push(this.selectY(this.kind === "histogram" ? "of" : "Up", numbers));
      if (this.kind !== "histogram") {
        const columns = named(["@key", ...numbers]);
        const across = this.select("Across", columns, this.x, (chosen) => {
          this.x = chosen;
        });
        parts.push(across);
      }
    }
    // A page that does not have the focus must not take it.
    const active = document.hasFocus() ? document.activeElement : null;
    const focused = active?.getAttribute("name");
    this.controls.replaceChildren(...parts);
    if (focused != null) {
      this.controls.querySelector<HTMLSelectElement>(`[name="${focused}"]`)?.focus();
    }
  }

  private selectY(label: string, numbers: string[]): HTMLElement {
    if (!numbers.includes(this.y)) this.y = numbers[0] ?? "";
    const named = numbers.map((name): [string, string] => [name, name]);
    return this.select(label, named, this.y, (chosen) => {
      this.y = chosen;
    });
  }

  private select(
    label: string,
    values: readonly [string, string][],
    chosen: string,
    take: (chosen: string) => void,
  ): HTMLElement {
    const select = h("select", { name: label });
    for (const [value, text] of values) select.append(h("option", { value }, text));
    select.value = chosen;
    select.addEventListener("change", () => {
      take(select.value);
      void this.refresh();
    });
    return h("label", {}, label, " ", select);
  }

  private async content(): Promise<Part[]> {
    if (this.kind === "groups") return this.groups();
    if (this.y === "") {
      return [{ node: h("p", {}, "No column has numbers. Bars of groups count any values.") }];
    }
    return this.kind === "histogram" ? this.histogram() : this.points(this.kind);
  }

  private async histogram(): Promise<Part[]> {
    const profile = await ask("profile", { ...this.page.rowsShown(), column: this.y });
    const bars = profile.histogram;
    const rows = profile.count + profile.missing;
    const numbers = bars.reduce((sum, { count }) => sum + count, 0);
    const share = `${grouped(numbers)} numbers of ${grouped(rows)} rows.`;
    const first = bars[0];
    if (first === undefined) return [{ node: h("p", {}, `No numbers. ${share}`) }];
    const label = `Histogram of ${this.y}, ${numberText(first.from)} to ${numberText(bars.at(-1)?.to ?? first.to)}`;
    return this.drawnParts(
      {
        kind: "bars",
        x: bars.map(({ from, to }) => from / 2 + to / 2),
        y: bars.map(({ count }) => count),
        range: [first.from, bars.at(-1)?.to ?? first.to],
        xLabel: this.y,
        yLabel: "rows",
      },
      label,
      share,
      dataTable(
        ["from", "to", "rows"],
        bars.map(({ from, to, count }) => [from, to, count]),
      ),
    );
  }

  private async points(kind: "line" | "scatter"): Promise<Part[]> {
    const { x, y } = this;
    const found = await ask("points", { ...this.page.rowsShown(), x, y, limit: POINTS_MAX });
    const share = shareText(found.points.length, found.pairs, found.rows);
    const across = found.points.map(([each]) => each);
    const up = found.points.map(([, each]) => each);
    const label = `${KINDS[kind]} of ${rangeText(y, up)}, over ${rangeText(x, across)}`;
    return this.drawnParts(
      { kind, x: across, y: up, xLabel: x, yLabel: y },
      label,
      share,
      dataTable(
        [`${x} from`, "to", "points", `least ${y}`, "mean", "greatest"],
        bins(found.points as Point[]).map((bin) => [
          bin.from,
          bin.to,
          bin.count,
          bin.least,
          bin.mean,
          bin.greatest,
        ]),
      ),
    );
  }

  /** Groups have names, so their bars stand in a list, one under the other. */
  private async groups(): Promise<Part[]> {
    const { x, y, result } = this;
    const asked: AggregateQuery = { ...this.page.rowsShown(), group_by: x, limit: GROUPS_MAX };
    if (result === "count") asked.count = true;
    else asked[result] = y;
    const { groups, total } = await ask("aggregate", asked);
    const what = result === "count" ? "rows" : `${RESULTS[result]} ${y}`;
    const bars = groups.map((group) => ({
      name: nameOf(group.group[x]),
      value: result === "count" ? group.count : numberOf(group[result]),
    }));
    const most = Math.max(...bars.map(({ value }) => Math.abs(value ?? 0)), 0);
    const items = bars.map(({ name, value }) => {
      const size = most === 0 ? 0 : (Math.abs(value ?? 0) / most) * 100;
      const sign = (value ?? 0) < 0 ? "size negative" : "size";
      const bar = h("span", { class: sign, "aria-hidden": true });
      bar.style.width = `${size}%`;
      const text = value === undefined ? "none" : numberText(value);
      const title = `${name}: ${text}`;
      return h("li", { title }, h("span", { class: "name" }, name), bar, h("span", {}, text));
    });
    const share =
      groups.length < total
        ? `The ${grouped(groups.length)} greatest of ${grouped(total)} groups.`
        : `All ${grouped(total)} groups.`;
    return [
      { node: h("p", { class: "quiet" }, `${what} by ${x}. ${share}`) },
      { node: h("ol", { class: "bars", "aria-label": `${what} by ${x}` }, ...items) },
    ];
  }

  private async drawnParts(
    plot: Plot,
    label: string,
    share: string,
    table: HTMLElement,
  ): Promise<Part[]> {
    const { draw } = await library();
    const canvas = h("div", { class: "canvas", "aria-hidden": true });
    const figure = h("div", { role: "img", "aria-label": `${label}. ${share}` }, canvas);
    return [
      {
        node: figure,
        drawn: () => {
          this.drawn?.destroy();
          this.drawn = draw(canvas, plot);
        },
      },
      { node: h("p", { class: "quiet share" }, share) },
      { node: h("details", {}, h("summary", {}, "As a table"), table) },
    ];
  }
}

interface Part {
  node: Node;
  /** When it is on the page. */
  drawn?: () => void;
}

function nameOf(value: LuaValue | undefined): string {
  return value === undefined ? "missing" : shown(value);
}

function dataTable(names: string[], rows: number[][]): HTMLElement {
  const head = names.map((name) => h("th", { scope: "col" }, name));
  const body = rows.map((row) =>
    h("tr", {}, ...row.map((value) => h("td", {}, numberText(value)))),
  );
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body));
}

type Library = typeof import("./plot");
let loading: Promise<Library> | undefined;
const nonce = (document.currentScript as HTMLScriptElement | null)?.nonce ?? "";

/** The chart library, which most tables are looked at without. */
function library(): Promise<Library> {
  loading ??= new Promise((resolve, reject) => {
    const script = h("script", { src: `${document.body.dataset.media}/plot.js` });
    script.nonce = nonce;
    script.addEventListener("load", () => {
      resolve((window as unknown as { luaPersistPlot: Library }).luaPersistPlot);
    });
    script.addEventListener("error", () => reject(new Error("The charts cannot be loaded.")));
    document.head.append(script);
  });
  return loading;
}
