// The panel at the right of the grid: which of its views is open, and what it asks for.

import { byId, h } from "../../webview/dom";
import { ask } from "./rpc";
import { planView, profileView } from "./side";
import { reasonOf, say } from "./status";
import type { TablePage } from "./table";

type Wanted = { kind: "profile"; column: string } | { kind: "plan" };

export interface DetailActions {
  createIndex(fields: string[]): void;
}

export class Details {
  private wanted: Wanted | undefined;

  constructor(
    private readonly page: TablePage,
    private readonly actions: DetailActions,
  ) {}

  open(wanted: Wanted): void {
    this.wanted = wanted;
    void this.draw();
  }

  close(): void {
    this.wanted = undefined;
    void this.draw();
  }

  async draw(): Promise<void> {
    const element = byId("side");
    const { wanted } = this;
    if (wanted === undefined) {
      element.hidden = true;
      this.page.sheet.render();
      return;
    }
    try {
      const content = await this.content(wanted);
      if (this.wanted !== wanted) return;
      const close = h("button", { class: "close quiet-button", "aria-label": "Close panel" }, "✕");
      close.addEventListener("click", () => this.close());
      element.replaceChildren(close, ...content);
      element.hidden = false;
    } catch (error) {
      this.wanted = undefined;
      element.hidden = true;
      say(reasonOf(error), true);
    }
    this.page.sheet.render();
  }

  private async content(wanted: Wanted): Promise<Node[]> {
    const { page } = this;
    const asked = page.conditions();
    if (wanted.kind === "profile") {
      const { column } = wanted;
      const profile = await ask("profile", { ...asked, column });
      return profileView(column, profile, { filter: (text) => page.addCondition(text) });
    }
    const { orderBy } = page.view;
    const order = orderBy === undefined ? {} : { order_by: orderBy };
    const plan = await ask("explain", { ...asked, ...order });
    return planView(plan, this.actions);
  }
}
