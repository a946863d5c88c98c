// What an index can be: its kinds, when each of them helps, and the fields of a table it can be by.
// Knows neither the editor nor the server.

import type { InspectEntry, JsonValue, LuaValue, NewIndex } from "../protocol";

export interface IndexKind {
  label: string;
  /** When it helps. */
  detail: string;
  options: Pick<NewIndex, "kind" | "unique" | "each">;
  /** Types of the fields that it is good for. */
  types: readonly string[];
}

const SCALARS = ["string", "number", "integer", "float", "boolean", "any"];
const LIST = "list";
const WHOLE = "@value";

/** The first one is what most questions need. */
export const KINDS: readonly IndexKind[] = [
  {
    label: "Ordered",
    detail: "For =, <, between, startsWith, exists and an order: what most questions need.",
    options: {},
    types: SCALARS,
  },
  {
    label: "Hash",
    detail: "For = and in alone. Smaller where the values are long texts.",
    options: { kind: "hash" },
    types: SCALARS,
  },
  {
    label: "Elements",
    detail: "For lists, such as tags: finds the rows whose list contains a value.",
    options: { each: true },
    types: [LIST],
  },
  {
    label: "Words",
    detail: "For texts: finds words in them, with the operator matches.",
    options: { kind: "text" },
    types: ["string"],
  },
];

/** The same, and rows that have what another one has are refused. */
export const UNIQUE_KINDS: readonly IndexKind[] = [
  {
    label: "Unique",
    detail: "Ordered. A second row with the same value is refused.",
    options: { unique: true },
    types: SCALARS,
  },
  {
    label: "Unique hash",
    detail: "For = and in alone. A second row with the same text is refused.",
    options: { kind: "hash", unique: true },
    types: SCALARS,
  },
  {
    label: "Unique elements",
    detail: "A value that is in the list of one row is refused in that of another.",
    options: { each: true, unique: true },
    types: [LIST],
  },
];

export interface Field {
  /** As queries name it: `age`, `address.city`, `["zip code"]`. */
  text: string;
  types: ReadonlySet<string>;
}

/** The fields that a schema names, and then those that rows have, as deep as they were looked into. */
export function fieldsOf(rows: readonly InspectEntry[], definition: JsonValue): Field[] {
  const found = new Map<string, Set<string>>();
  addDefined(found, definition, "", false);
  for (const { value } of rows) addValue(found, value, "");
  return [...found].map(([text, types]) => ({ text, types }));
}

/** Those that an index of a kind is good for; the others need not be offered. */
export function fitting(fields: readonly Field[], { types }: IndexKind): Field[] {
  return fields.filter((field) => types.some((type) => field.types.has(type)));
}

export interface FieldLine {
  fields: string[];
  /** Whether this is what somebody has typed, and no field that is known. */
  typed: boolean;
}

/**
 * What a typed text may become: its complete fields, and each that could be the last one. So one
 * field is picked, and several are typed with commas between them.
 */
export function linesFor(text: string, known: readonly Field[], several: boolean): FieldLine[] {
  const parts = splitFields(text);
  const last = parts.at(-1) ?? "";
  const before = parts.slice(0, -1).filter((part) => part !== "");
  if (!several && before.length > 0) return [];
  const lines: FieldLine[] = known
    .filter((field) => !before.includes(field.text))
    .filter((field) => field.text.toLowerCase().includes(last.toLowerCase()))
    .map((field) => ({ fields: [...before, field.text], typed: false }));
  const isKnown = known.some((field) => field.text === last);
  const own = last === "" ? before : [...before, last];
  if (own.length === 0 || (isKnown && !before.includes(last))) return lines;
  return [...lines, { fields: own, typed: true }];
}

function splitFields(text: string): string[] {
  // A comma in a name in quotes is part of the name.
  const parts = text.match(/(?:\[\s*"(?:[^"\\]|\\.)*"\s*\]|[^,])+|(?<=,)$/g) ?? [];
  return parts.map((part) => part.trim());
}

function add(found: Map<string, Set<string>>, text: string, type: string): void {
  const types = found.get(text) ?? new Set<string>();
  types.add(type);
  found.set(text, types);
}

function addValue(found: Map<string, Set<string>>, value: LuaValue, path: string): void {
  if (value.type !== "table") {
    if (value.type !== "nil") add(found, path === "" ? WHOLE : path, value.type);
    return;
  }
  for (const entry of value.entries ?? []) {
    if (entry.key.type === "string" && entry.key.content !== undefined) {
      addValue(found, entry.value, fieldIn(path, entry.key.content));
    } else if (entry.key.type === "integer" && path !== "") add(found, path, LIST);
  }
}

/** A definition is `"string?"`, `"string[]"`, or an object of attributes. */
function addDefined(
  found: Map<string, Set<string>>,
  definition: JsonValue | undefined,
  path: string,
  isRow: boolean,
): void {
  if (typeof definition === "string") {
    const name = definition.replace(/\?$/, "");
    if (isRow) add(found, path, name.endsWith("[]") ? LIST : name);
    return;
  }
  if (definition === null || typeof definition !== "object" || Array.isArray(definition)) return;
  const { type, array, fields, enum: values } = definition;
  if (isRow && array !== undefined) add(found, path, LIST);
  if (isRow && Array.isArray(values)) for (const value of values) add(found, path, typeof value);
  if (typeof type === "string") addDefined(found, type, path, isRow);
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) return;
  for (const [name, inner] of Object.entries(fields)) {
    addDefined(found, inner, fieldIn(path, name), true);
  }
}

function fieldIn(path: string, name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}
