// The panel at the right of the grid: which of its views is open, and what it asks for.

import { byId, h } from "../../webview/dom";
import { ChartPanel } from "./charts";
import { ask } from "./rpc";
import { type PlanActions, planView, profileView } from "./side";
import { reasonOf, say } from "./status";
import type { TablePage } from "./table";
import { valueView } from "./valueView";

type Wanted = { kind: "profile" | "chart"; column: string } | { kind: "plan" | "value" };
/** After so long at a cell its value is asked for: keys that are held move faster. */
const REST_MS = 90;

export class Details {
  private wanted: Wanted | undefined;
  private timer = 0;
  private readonly chart: ChartPanel;

  constructor(
    private readonly page: TablePage,
    private readonly actions: PlanActions,
  ) {
    this.chart = new ChartPanel(page);
  }

  open(wanted: Wanted): void {
    if (wanted.kind === "chart") this.chart.choose(wanted.column);
    this.wanted = wanted;
    void this.draw();
  }

  close(): void {
    this.wanted = undefined;
    void this.draw();
  }

  toggleValue(): void {
    if (this.wanted?.kind === "value") this.close();
    else this.open({ kind: "value" });
  }

  /** Another cell is the active one. */
  moved(): void {
    if (this.wanted?.kind !== "value") return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.draw(), REST_MS);
  }

  async draw(): Promise<void> {
    const element = byId("side");
    const { wanted } = this;
    element.classList.toggle("wide", wanted?.kind === "chart");
    if (wanted === undefined) {
      element.hidden = true;
      this.page.sheet.render();
      return;
    }
    try {
      if (wanted.kind === "chart" && element.contains(this.chart.element)) {
        await this.chart.refresh();
        return;
      }
      const content = await this.content(wanted);
      if (this.wanted !== wanted) return;
      const close = h("button", { class: "close quiet-button", "aria-label": "Close panel" }, "✕");
      close.addEventListener("click", () => this.close());
      element.replaceChildren(close, ...content);
      element.hidden = false;
      if (wanted.kind === "chart") void this.chart.refresh();
    } catch (error) {
      this.wanted = undefined;
      element.hidden = true;
      say(reasonOf(error), true);
    }
    this.page.sheet.render();
  }

  private async content(wanted: Wanted): Promise<Node[]> {
    const { page } = this;
    const asked = page.rowsShown();
    if (wanted.kind === "profile") {
      const { column } = wanted;
      const profile = await ask("profile", { ...asked, column });
      const actions = { filter: (text: string) => page.addCondition(text) };
      return profileView(column, profile, actions);
    }
    if (wanted.kind === "chart") return [h("h2", {}, "Chart"), this.chart.element];
    if (wanted.kind === "value") return valueView(page);
    const { orderBy, descending } = page.view;
    const order = orderBy === undefined ? {} : { order_by: orderBy, descending };
    const [plan, { indexes }] = await Promise.all([
      ask("explain", { ...asked, ...order, grid: true }),
      ask("indexes", { table: page.view.table }),
    ]);
    return planView(plan, indexes, this.actions);
  }
}
