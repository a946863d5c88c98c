// Values of cells in full. A cell shows the beginning of a long string and a look at a table; whoever
// edits or copies it wants all of it.

import type { LuaValue } from "../../protocol";
import { ask } from "./rpc";

/** Whether a cell has less than the value. */
export function isCut(value: LuaValue | null | undefined): boolean {
  if (value == null) return false;
  if (value.type === "table") return value.omitted === true || value.text.includes("...");
  return value.length_bytes !== undefined;
}

/**
 * The Lua source of a value, nil for none. Throws an error where there is no such source, or it is
 * longer than anybody edits.
 */
export async function sourceOf(
  path: string | null | undefined,
  value: LuaValue | null | undefined,
): Promise<string> {
  if (value == null) return "";
  // A look at a table may leave out what is deep in it.
  if (!isCut(value) && value.type !== "table") return value.text;
  const found = path == null ? undefined : await ask("whole", { path });
  if (found?.complete === true) return found.text;
  const why = value.type === "table" ? "is too large, or has functions in it" : "is too long";
  throw new Error(`${path ?? "This value"} ${why}: set it by evaluating an assignment.`);
}
