// Which cells are selected: rectangles by number, the active cell, and what they cover together.
// Knows nothing of rows and of the screen.

export interface Block {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** Rows one after the other in which the same columns are selected. */
export interface Strip {
  top: number;
  bottom: number;
  columns: number[];
}

interface Corner {
  row: number;
  column: number;
}

export class Selection {
  /** The cell that keys act on; column 0 is the key. */
  row = 0;
  column = 0;
  private from: Corner = { row: 0, column: 0 };
  /** Set where the block at the active cell is not the one between it and where it began. */
  private whole: Block | undefined;
  private others: Block[] = [];

  /** `lines` has the line for a new row as well, which can be active but not be part of a block. */
  constructor(private readonly size: () => { rows: number; lines: number; columns: number }) {}

  /** Makes a cell the active one; `extend` keeps the place where the block began. */
  moveTo(row: number, column: number, extend = false): void {
    const { rows, lines, columns } = this.size();
    const last = Math.max((extend ? rows : lines) - 1, 0);
    this.row = Math.max(0, Math.min(row, last));
    this.column = Math.max(0, Math.min(column, columns - 1));
    this.whole = undefined;
    if (extend) return;
    this.from = { row: this.row, column: this.column };
    this.others = [];
  }

  /** One more cell, or one less if it was selected by itself. */
  toggle(row: number, column: number): void {
    const before = this.current();
    const right = column === 0 ? this.size().columns - 1 : column;
    const cell = { top: row, bottom: row, left: column, right };
    if (isSame(before, cell)) {
      const last = this.others.pop();
      if (last !== undefined) this.activate(last);
      return;
    }
    const left = this.others.filter((each) => !isSame(each, cell));
    if (left.length < this.others.length) {
      this.others = left;
      return;
    }
    this.others.push(before);
    this.activate(cell);
  }

  selectAll(): void {
    const { rows, columns } = this.size();
    this.others = [];
    this.whole = { top: 0, left: 0, bottom: rows - 1, right: columns - 1 };
  }

  /** The rows of the block at the active cell, with all their cells. */
  selectRows(): void {
    const { top, bottom } = this.current();
    this.whole = { top, left: 0, bottom, right: this.size().columns - 1 };
  }

  selectColumns(): void {
    const { left, right } = this.current();
    this.whole = { top: 0, left, bottom: this.size().rows - 1, right };
  }

  /** A block from a cell on, such as one that was pasted. */
  selectBlock(block: Block): void {
    this.others = [];
    this.whole = block;
  }

  blocks(): Block[] {
    return [...this.others, this.current()];
  }

  /** Rows with the same columns, from the top, each row once. */
  strips(): Strip[] {
    const blocks = this.blocks();
    const edges = [...new Set(blocks.flatMap(({ top, bottom }) => [top, bottom + 1]))];
    edges.sort((a, b) => a - b);
    const strips: Strip[] = [];
    for (const [at, top] of edges.entries()) {
      const end = edges[at + 1];
      if (end === undefined) break;
      const there = blocks.filter((block) => block.top <= top && top <= block.bottom);
      if (there.length === 0) continue;
      const columns = new Set<number>();
      for (const { left, right } of there) {
        for (let column = left; column <= right; column += 1) columns.add(column);
      }
      strips.push({ top, bottom: end - 1, columns: [...columns].sort((a, b) => a - b) });
    }
    return strips;
  }

  /** How many rows have a selected cell. */
  get rowCount(): number {
    return this.strips().reduce((sum, { top, bottom }) => sum + bottom - top + 1, 0);
  }

  /** How many cells with values are selected: keys are none. */
  get cellCount(): number {
    return this.strips().reduce(
      (sum, { top, bottom, columns }) =>
        sum + (bottom - top + 1) * columns.filter((column) => column > 0).length,
      0,
    );
  }

  get isOneCell(): boolean {
    return this.others.length === 0 && this.whole === undefined && isSingle(this.corners());
  }

  private activate({ top, left, bottom, right }: Block): void {
    this.whole = undefined;
    this.from = { row: top, column: left };
    this.row = bottom;
    this.column = left === 0 ? 0 : right;
  }

  private corners(): Block {
    return {
      top: Math.min(this.row, this.from.row),
      bottom: Math.max(this.row, this.from.row),
      left: Math.min(this.column, this.from.column),
      right: Math.max(this.column, this.from.column),
    };
  }

  /** The block at the active cell. One that has keys has the whole rows. */
  private current(): Block {
    const { rows, columns } = this.size();
    const block = this.whole ?? this.corners();
    const right = block.left === 0 ? columns - 1 : Math.min(block.right, columns - 1);
    return { ...block, right, bottom: Math.max(Math.min(block.bottom, rows - 1), block.top) };
  }
}

/** Whether a block has a cell. */
export function isIn({ top, left, bottom, right }: Block, row: number, column: number): boolean {
  return top <= row && row <= bottom && left <= column && column <= right;
}

function isSame(a: Block, b: Block): boolean {
  return a.top === b.top && a.bottom === b.bottom && a.left === b.left && a.right === b.right;
}

function isSingle({ top, left, bottom, right }: Block): boolean {
  return top === bottom && left === right;
}
