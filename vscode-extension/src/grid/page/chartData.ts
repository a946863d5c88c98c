// What charts say in words and as a table, for those who do not see them.

import type { LuaValue } from "../../protocol";
import { grouped } from "../../webview/dom";

export type Point = readonly [number, number];

/** A part of the range of x, with what is above it. */
export interface Bin {
  from: number;
  to: number;
  count: number;
  least: number;
  mean: number;
  greatest: number;
}

/** Parts of the range of x of the same width, with the points in each; points are ascending. */
export function bins(points: readonly Point[], wanted = 10): Bin[] {
  const low = points[0]?.[0];
  const high = points.at(-1)?.[0];
  if (low === undefined || high === undefined) return [];
  const count = high > low ? wanted : 1;
  // Each divided first: the distance of the two may be more than a number can be.
  const width = high / count - low / count;
  const values: number[][] = Array.from({ length: count }, () => []);
  for (const [x, y] of points) {
    const at = width === 0 ? 0 : Math.floor(x / width - low / width);
    values[Math.min(Math.max(at, 0), count - 1)]?.push(y);
  }
  return values.flatMap((inside, at) => {
    if (inside.length === 0) return [];
    const sorted = inside.sort((a, b) => a - b);
    return {
      from: low + at * width,
      to: at === count - 1 ? high : low + (at + 1) * width,
      count: inside.length,
      least: sorted[0] ?? 0,
      mean: inside.reduce((sum, each) => sum + each / inside.length, 0),
      greatest: sorted.at(-1) ?? 0,
    };
  });
}

/** How many points are shown, of how many rows. */
export function shareText(shown: number, pairs: number, rows: number): string {
  const points =
    shown < pairs
      ? `${grouped(shown)} of ${grouped(pairs)} points, chosen evenly`
      : `all ${grouped(pairs)} points`;
  const without = rows - pairs;
  return without === 0
    ? `${points}.`
    : `${points}. ${grouped(without)} of ${grouped(rows)} rows lack one of the two numbers.`;
}

export function rangeText(name: string, values: readonly number[]): string {
  const low = values.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY);
  return values.length === 0 ? name : `${name} from ${numberText(low)} to ${numberText(high)}`;
}

export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return grouped(value);
  return String(Number(value.toPrecision(5)));
}

/** A value as a number, where it is one. */
export function numberOf(value: LuaValue | undefined): number | undefined {
  if (value === undefined || (value.type !== "integer" && value.type !== "float")) return undefined;
  const number = Number(value.text);
  return Number.isFinite(number) ? number : undefined;
}
