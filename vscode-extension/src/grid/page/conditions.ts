// Conditions as one types them, and as the server takes them: `age > 30 and name startsWith A` is
// [["age", ">", 30], ["name", "startsWith", "A"]]. The builder's lines are the same conditions.

import type { JsonValue } from "../../protocol";
import type { Condition } from "../messages";

export const OPERATORS = [
  "=",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "contains",
  "startsWith",
  "endsWith",
  "in",
  "not in",
  "between",
  "exists",
  "missing",
  "matches",
] as const;

const WITHOUT_VALUE = new Set(["exists", "missing"]);

export function takesValue(operator: string): boolean {
  return !WITHOUT_VALUE.has(operator);
}

/** The conditions of a line. Throws an error that says which part is none. */
export function parseLine(line: string): Condition[] {
  return splitLine(line).map(parseCondition);
}

export function lineOf(conditions: readonly Condition[]): string {
  return conditions.map(textOf).join(" and ");
}

/** What the server takes; undefined for no condition at all. */
export function whereOf(conditions: readonly Condition[]): JsonValue | undefined {
  if (conditions.length === 0) return undefined;
  return conditions.map(({ field, operator, value }): JsonValue[] => {
    if (!takesValue(operator)) return [field, operator];
    if (operator === "between") {
      const [low = "", high = ""] = splitLine(value, true);
      return [field, operator, readValue(low), readValue(high)];
    }
    if (operator.endsWith("in")) return [field, operator, listOf(value)];
    return [field, operator, readValue(value)];
  });
}

function textOf({ field, operator, value }: Condition): string {
  return takesValue(operator) ? `${field} ${operator} ${value}` : `${field} ${operator}`;
}

/** Parts between `and`, outside of quotes; the `and` of `between` belongs to its condition. */
function splitLine(line: string, everywhere = false): string[] {
  const parts: string[] = [];
  let part = "";
  let quote = "";
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? "";
    if (quote !== "") {
      if (character === "\\") {
        part += character;
        at += 1;
      } else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    const and = quote === "" ? /^\s+and\s+/i.exec(line.slice(at))?.[0] : undefined;
    const isBetween = /\sbetween\s/.test(part) && !/\sand\s/i.test(part);
    if (and !== undefined && (everywhere || !isBetween)) {
      parts.push(part.trim());
      part = "";
      at += and.length - 1;
      continue;
    }
    if (and !== undefined) {
      part += and;
      at += and.length - 1;
      continue;
    }
    part += line[at] ?? "";
  }
  parts.push(part.trim());
  return parts.filter((text) => text !== "");
}

const FIELD = String.raw`@?[A-Za-z_][\w.]*(?:\[[^\]]*\][\w.]*)*|\[[^\]]*\][\w.[\]]*`;
const BY_LENGTH = [...OPERATORS].sort((a, b) => b.length - a.length).join("|");
const CONDITION = new RegExp(String.raw`^(${FIELD})\s*(${BY_LENGTH})(?![A-Za-z])\s*(.*)$`, "s");

function parseCondition(text: string): Condition {
  const found = CONDITION.exec(text);
  const [, field = "", operator = "", value = ""] = found ?? [];
  if (found === null || (takesValue(operator) && value === "")) {
    throw new Error(`“${text}” is no condition. Write one as: age > 25, or: name startsWith A`);
  }
  return { field, operator, value };
}

function readValue(text: string): JsonValue {
  if (/^'.*'$/s.test(text)) return text.slice(1, -1).replaceAll(/\\(.)/gs, "$1");
  if (text === "nil") return null;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

function listOf(text: string): JsonValue {
  const inner = /^\((.*)\)$/s.exec(text)?.[1] ?? text;
  if (inner.startsWith("[")) return readValue(inner);
  const parts = inner.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^,"']+/g) ?? [];
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(readValue);
}
