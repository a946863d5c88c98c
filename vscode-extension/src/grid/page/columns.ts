// The columns of the grid by number: how wide each is, where it begins, which ones are in view.
// What somebody has made wider stays so, also while the columns are others.

const WIDTH_MIN = 56;
const WIDTH_FITTED_MAX = 320;
const WIDTH_KEY_MAX = 240;
/** So many columns beside those in view are drawn as well. */
const OVERSCAN = 2;
/** Padding, and room for the mark at tables. */
const AROUND_CELL = 36;
/** Padding, and room for the mark of the order and the button of the menu. */
const AROUND_HEADER = 60;

/** How many characters there are to be shown, at most, in the rows at hand. */
export interface Extent {
  /** By which the column is known. */
  id: string;
  header: number;
  cells: number;
}

export class Columns {
  private readonly known = new Map<string, number>();
  private ids: string[] = [];
  private widths: number[] = [];
  private starts: number[] = [0];

  constructor(private readonly characterWidth: () => number) {}

  get count(): number {
    return this.widths.length;
  }

  /** Of all of them. */
  get total(): number {
    return this.starts[this.count] ?? 0;
  }

  /** Columns are others now: those that were not there yet get the width of what is in them. */
  layout(extents: readonly Extent[]): void {
    const one = this.characterWidth();
    this.ids = extents.map(({ id }) => id);
    this.widths = extents.map(({ id, header, cells }, at) => {
      const fitted = Math.max(header * one + AROUND_HEADER, cells * one + AROUND_CELL);
      const most = at === 0 ? WIDTH_KEY_MAX : WIDTH_FITTED_MAX;
      const width = this.known.get(id) ?? Math.round(Math.min(Math.max(fitted, WIDTH_MIN), most));
      // Without rows nothing is known of the width yet.
      if (cells > 0) this.known.set(id, width);
      return width;
    });
    this.place();
  }

  width(column: number): number {
    return this.widths[column] ?? WIDTH_MIN;
  }

  /** Where a column begins, from the left of the first one. */
  start(column: number): number {
    return this.starts[Math.min(column, this.count)] ?? 0;
  }

  resize(column: number, width: number): void {
    const id = this.ids[column];
    if (id === undefined) return;
    this.widths[column] = Math.max(width, WIDTH_MIN);
    this.known.set(id, this.width(column));
    this.place();
  }

  /** The columns in view beside the first one, which is always: from, and up to. */
  inView(left: number, room: number): [number, number] {
    const begin = left + this.width(0);
    let from = 1;
    while (from < this.count && this.start(from + 1) <= begin) from += 1;
    let to = from;
    while (to < this.count && this.start(to) < left + room) to += 1;
    return [Math.max(from - OVERSCAN, 1), Math.min(to + OVERSCAN, this.count)];
  }

  private place(): void {
    let start = 0;
    this.starts = [0];
    for (const width of this.widths) {
      start += width;
      this.starts.push(start);
    }
  }
}

export function* range(from: number, to: number): Generator<number> {
  for (let at = from; at < to; at += 1) yield at;
}

/** The width of a character in the font of an element. */
export function characterWidth(element: HTMLElement): number {
  const { fontSize, fontFamily } = getComputedStyle(element);
  const context = document.createElement("canvas").getContext("2d");
  if (context === null) return Number.parseFloat(fontSize) * 0.6;
  context.font = `${fontSize} ${fontFamily}`;
  return context.measureText("0").width;
}
