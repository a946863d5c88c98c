// The panel at the right: what there is in a column, and how a query was answered.

import type { IndexInfo, LuaValue, Plan, Profile } from "../../protocol";
import { grouped, h, svg } from "../../webview/dom";
import { shown } from "./formats";

const CHART = { width: 260, height: 90 };
const TEXT_CHARACTERS_MAX = 28;

export interface ProfileActions {
  filter(condition: string): void;
}

export function profileView(column: string, profile: Profile, actions: ProfileActions): Node[] {
  const all = profile.count + profile.missing;
  const facts: [string, string][] = [
    ["rows", grouped(all)],
    ["missing", `${grouped(profile.missing)} (${percent(profile.missing, all)})`],
    ["distinct", profile.distinct === null ? "many" : grouped(profile.distinct)],
  ];
  for (const [name, value] of [
    ["least", profile.min],
    ["greatest", profile.max],
    ["mean", profile.avg],
  ] as const) {
    if (value !== null && value.type !== "nil") facts.push([name, clipped(shown(value))]);
  }
  return [
    heading(column),
    typesBar(profile.types, profile.missing),
    factList(facts),
    ...(profile.histogram.length > 1 ? [histogram(profile)] : []),
    ...(profile.top.length > 0 ? [topValues(column, profile, actions)] : []),
  ];
}

export interface PlanActions {
  createIndex(index: NonNullable<Plan["suggestion"]>): void;
  dropIndex(index: IndexInfo): void;
}

export function planView(plan: Plan, indexes: readonly IndexInfo[], actions: PlanActions): Node[] {
  const facts: [string, string][] = [
    ["index", plan.index ?? "none: rows were looked through"],
    ["examined", plan.rows_examined === null ? "unknown" : grouped(plan.rows_examined)],
    ["returned", plan.rows_returned === null ? "unknown" : grouped(plan.rows_returned)],
  ];
  const nodes: Node[] = [heading("How the rows were found"), factList(facts)];
  const { suggestion } = plan;
  if (suggestion != null) {
    const by = `Create index by ${suggestion.fields.join(", ")}`;
    const button = h("button", { class: "primary" }, by);
    button.addEventListener("click", () => actions.createIndex(suggestion));
    nodes.push(h("p", {}, "An index would find them without looking at the others:"), button);
  }
  if (indexes.length > 0) nodes.push(h("h3", {}, "Indexes"), indexList(plan, indexes, actions));
  const sql = h("details", {}, h("summary", {}, "SQL"), h("pre", {}, plan.sql));
  return [...nodes, sql];
}

/** All indexes of the table, the one that was used marked. */
function indexList(plan: Plan, indexes: readonly IndexInfo[], actions: PlanActions): Node {
  const items = indexes.map((index) => {
    const fields = index.fields.join(", ");
    const facts = [index.kind ?? "", index.unique === true ? "unique" : ""];
    if (index.each === true) facts.push("each element");
    if (plan.index?.includes(index.name) === true) facts.push("used");
    const drop = h(
      "button",
      { class: "quiet-button", "aria-label": `Drop index by ${fields}` },
      "✕",
    );
    drop.addEventListener("click", () => actions.dropIndex(index));
    const quiet = h("span", { class: "quiet" }, facts.filter((fact) => fact !== "").join(" · "));
    return h("li", {}, h("span", {}, fields), quiet, drop);
  });
  return h("ul", { class: "indexes" }, ...items);
}

function heading(text: string): Node {
  return h("h2", {}, text);
}

function factList(facts: [string, string][]): Node {
  const list = h("dl");
  for (const [name, value] of facts) {
    list.append(h("dt", {}, name), h("dd", { title: value }, value));
  }
  return list;
}

/** The types of the values, as shares of one bar. */
function typesBar(types: Record<string, number>, missing: number): Node {
  const parts = [...Object.entries(types), ...(missing > 0 ? [["missing", missing] as const] : [])];
  const sum = parts.reduce((total, [, count]) => total + count, 0);
  const text = parts.map(([type, count]) => `${type} ${percent(count, sum)}`).join(", ");
  const bar = h("div", {
    class: "types",
    role: "img",
    "aria-label": `Types: ${text}`,
    title: text,
  });
  for (const [type, count] of parts) {
    const part = h("span", { class: `type-${type}` });
    part.style.flexGrow = String(count);
    bar.append(part);
  }
  return h("div", {}, bar, h("p", { class: "quiet" }, text));
}

function histogram({ histogram: bars }: Profile): Node {
  const { width, height } = CHART;
  const most = Math.max(...bars.map(({ count }) => count), 1);
  const step = width / bars.length;
  const shapes = bars.map(({ from, to, count }, at) => {
    const size = count === 0 ? 0 : Math.max((count / most) * height, 1.5);
    const bar = svg("rect", {
      x: at * step + 0.5,
      y: height - size,
      width: Math.max(step - 1, 1),
      height: size,
      class: "bar",
    });
    bar.append(svg("title", {}, `${number(from)} to ${number(to)}: ${grouped(count)}`));
    return bar;
  });
  const low = bars[0]?.from ?? 0;
  const high = bars.at(-1)?.to ?? 0;
  const label = `Histogram from ${number(low)} to ${number(high)}, at most ${grouped(most)} in a bar`;
  return h(
    "figure",
    {},
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...shapes),
    h("figcaption", {}, h("span", {}, number(low)), h("span", {}, number(high))),
  );
}

function topValues(column: string, profile: Profile, actions: ProfileActions): Node {
  const most = Math.max(...profile.top.map(({ count }) => count), 1);
  const list = h("ol", { class: "top", "aria-label": "Most frequent values" });
  for (const { value, count } of profile.top) {
    const text = clipped(shown(value));
    const button = h(
      "button",
      { title: `Show only rows where ${column} is ${text}`, class: `value type-${value.type}` },
      h("span", { class: "name" }, text),
      h("span", { class: "quiet" }, grouped(count)),
    );
    button.style.setProperty("--share", `${(count / most) * 100}%`);
    button.addEventListener("click", () => actions.filter(`${column} = ${conditionValue(value)}`));
    list.append(h("li", {}, button));
  }
  return h("div", {}, h("h3", {}, "Most frequent"), list);
}

/** A value as the query line takes it. */
export function conditionValue(value: LuaValue): string {
  return value.type === "string" ? JSON.stringify(value.content ?? value.text) : value.text;
}

function percent(part: number, whole: number): string {
  if (whole === 0) return "0%";
  const share = (part / whole) * 100;
  return share > 0 && share < 0.1 ? "<0.1%" : `${share.toFixed(share % 1 === 0 ? 0 : 1)}%`;
}

function number(value: number): string {
  return Number.isInteger(value) ? grouped(value) : String(Number(value.toPrecision(5)));
}

function clipped(text: string): string {
  return text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…` : text;
}
