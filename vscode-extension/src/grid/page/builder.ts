// The query builder: one line a condition, in step with the plain query line.

import { h } from "../../webview/dom";
import type { Condition } from "../messages";
import { OPERATORS, takesValue } from "./conditions";

export class Builder {
  private conditions: Condition[] = [];
  private fields: string[] = [];

  constructor(
    private readonly element: HTMLElement,
    private readonly changed: (conditions: Condition[]) => void,
  ) {}

  show(conditions: readonly Condition[], fields: readonly string[]): void {
    this.conditions = conditions.map((condition) => ({ ...condition }));
    this.fields = ["@key", ...fields];
    this.draw();
  }

  private draw(): void {
    const add = h("button", { class: "quiet-button" }, "+ Add condition");
    add.addEventListener("click", () => {
      const field = this.fields[1] ?? "@key";
      this.conditions.push({ field, operator: "=", value: "" });
      this.draw();
      this.element.querySelector<HTMLSelectElement>(".condition:last-of-type select")?.focus();
    });
    const lines = this.conditions.map((condition, at) => this.line(condition, at));
    this.element.replaceChildren(...lines, add);
  }

  private line(condition: Condition, at: number): Node {
    const known = this.fields.includes(condition.field);
    const fields = known ? this.fields : [...this.fields, condition.field];
    const field = select("Field", fields, condition.field);
    const operator = select("Operator", OPERATORS, condition.operator);
    const value = h("input", {
      type: "text",
      "aria-label": "Value",
      placeholder: condition.operator === "between" ? "20 and 30" : "value",
      spellcheck: false,
    });
    value.value = condition.value;
    value.hidden = !takesValue(condition.operator);
    const remove = h("button", { class: "quiet-button", "aria-label": "Remove condition" }, "✕");
    field.addEventListener("change", () => this.set(at, { field: field.value }));
    operator.addEventListener("change", () => {
      this.set(at, { operator: operator.value });
      this.draw();
    });
    value.addEventListener("change", () => this.set(at, { value: value.value }));
    remove.addEventListener("click", () => {
      this.conditions.splice(at, 1);
      this.draw();
      this.tell();
    });
    const word = h("span", { class: "quiet word" }, at === 0 ? "where" : "and");
    return h("div", { class: "condition" }, word, field, operator, value, remove);
  }

  private set(at: number, change: Partial<Condition>): void {
    const condition = this.conditions[at];
    if (condition === undefined) return;
    this.conditions[at] = { ...condition, ...change };
    this.tell();
  }

  /** Conditions that are still being made do not count yet. */
  private tell(): void {
    this.changed(
      this.conditions.filter(({ operator, value }) => !takesValue(operator) || value !== ""),
    );
  }
}

function select(label: string, values: readonly string[], chosen: string): HTMLSelectElement {
  const element = h("select", { "aria-label": label });
  for (const value of values) {
    const option = h("option", { value }, value);
    option.selected = value === chosen;
    element.append(option);
  }
  return element;
}
