// The grid itself: as many row elements as fit the window, moved over any number of rows. It knows
// rows and columns by number; what they hold it asks for.

import { everyFrame, h } from "../../webview/dom";
import { Columns, characterWidth, range } from "./columns";
import { type Header, headCell, typesText } from "./heads";
import { ROW_HEIGHT, Scrolling } from "./scrolling";
import { type Block, isIn, Selection } from "./selection";

const OVERSCAN_ROWS = 4;
/** Columns are as wide as what so many rows have in them. */
const FITTED_ROWS = 60;

export interface Cell {
  text: string;
  type: string;
  label: string;
}

export interface SheetSource {
  rowCount(): number;
  /** Whether there is a line for a new one below the last row. */
  takesRow(): boolean;
  headers(): Header[];
  /** undefined: it is on its way. */
  cell(row: number, column: number): Cell | undefined;
  want(first: number, last: number): void;
}

export interface SheetEvents {
  open(row: number, column: number): void;
  header(column: number, anchor: HTMLElement): void;
  sort(column: number): void;
  key(event: KeyboardEvent): void;
  /** What can be done with the selection is wanted, at a cell. */
  menu(anchor: HTMLElement): void;
  moved(): void;
}

export class Sheet {
  readonly selection: Selection;
  /** A cell that a change failed at, and why. */
  private blamed: { row: number; column: number; reason: string } | undefined;
  private readonly columns = new Columns(() => characterWidth(this.element));
  private readonly head = h("div", { class: "head", role: "row", "aria-rowindex": 1 });
  private readonly body = h("div", { class: "body", role: "presentation" });
  private readonly scrolling: Scrolling;
  readonly render = everyFrame(() => this.draw());
  private readonly headEvents = {
    sort: (column: number) => this.events.sort(column),
    menu: (column: number, anchor: HTMLElement) => this.events.header(column, anchor),
    resize: (event: MouseEvent, column: number) => this.resize(event, column),
  };

  constructor(
    readonly element: HTMLElement,
    private readonly source: SheetSource,
    private readonly events: SheetEvents,
  ) {
    this.selection = new Selection(() => ({
      rows: source.rowCount(),
      lines: this.lineCount,
      columns: this.columns.count,
    }));
    this.scrolling = new Scrolling(
      this.body,
      () => this.lineCount,
      () => this.render(),
    );
    element.append(this.head, this.scrolling.scroller);
    element.addEventListener("keydown", (event) => this.pressed(event));
    this.body.addEventListener("mousedown", (event) => this.clicked(event));
    this.body.addEventListener("mousemove", (event) => this.dragged(event));
    // The key for menus comes as this event, too, on the element that has the focus.
    element.addEventListener("contextmenu", (event) => this.menuWanted(event));
    this.body.addEventListener("click", (event) => {
      if ((event.target as HTMLElement).closest(".row.new") !== null) this.newRowClicked();
    });
    this.body.addEventListener("dblclick", () => {
      if (this.isNew(this.selection.row)) return;
      this.events.open(this.selection.row, this.selection.column);
    });
    // Select all is a command of the editor, too, which selects the texts of the page.
    document.addEventListener("selectionchange", () => {
      if (document.activeElement === element) getSelection()?.removeAllRanges();
    });
    new ResizeObserver(() => this.render()).observe(element);
  }

  /** Goes back to the top: the rows are others now. */
  reset(): void {
    this.blamed = undefined;
    this.selection.moveTo(0, this.selection.column);
    this.scrolling.reset();
    this.render();
  }

  /** Columns are others now. */
  layout(): void {
    const headers = this.source.headers();
    const count = headers.length;
    const rows = Math.min(this.source.rowCount(), FITTED_ROWS);
    this.columns.layout(
      headers.map((header, at) => {
        const texts = Array.from(
          { length: rows },
          (_, row) => this.source.cell(row, at)?.text.length ?? 0,
        );
        const shown = header.text.length + 1 + typesText(header).length;
        return { id: header.id, header: shown, cells: Math.max(...texts, 0) };
      }),
    );
    const { row, column } = this.selection;
    if (column >= count || row >= this.lineCount) this.selection.moveTo(row, column);
    this.render();
  }

  /** Whether this is the line for a new row. */
  isNew(row: number): boolean {
    return row === this.source.rowCount() && this.source.takesRow();
  }

  /** The element of the line for a new row, if that is active. */
  newLine(): HTMLElement | undefined {
    if (!this.isNew(this.selection.row)) return undefined;
    return this.activeElement()?.parentElement ?? undefined;
  }

  get firstVisible(): number {
    return Math.floor(this.scrolling.first);
  }

  /** Makes a cell the active one and brings it into view. */
  goTo(row: number, column: number, extend = false): void {
    this.selection.moveTo(row, column, extend);
    this.reveal();
  }

  select(block: Block): void {
    this.selection.selectBlock(block);
    this.reveal();
  }

  /** Shows at which cell a change failed. */
  blame(row: number, column: number, reason: string): void {
    this.goTo(row, column);
    this.blamed = { row, column, reason };
  }

  /** Forgets it: the change has been made. */
  absolve(): void {
    this.blamed = undefined;
    this.render();
  }

  /** Brings the active cell into view, and tells that there is another selection. */
  reveal(): void {
    this.blamed = undefined;
    const { row, column } = this.selection;
    this.scrolling.reveal(row);
    const keyWidth = this.columns.width(0);
    const left = column === 0 ? 0 : this.columns.start(column) - keyWidth;
    this.scrolling.revealColumn(left, this.columns.width(column), keyWidth);
    this.render();
    this.events.moved();
  }

  /** The element of the active cell, which is brought into view; null if there is no row. */
  activeElement(): HTMLElement | null {
    if (this.drawnActive() === null) {
      this.reveal();
      this.draw();
    }
    return this.drawnActive();
  }

  /** The button that opens the menu of the column with the active cell. */
  activeHeader(): HTMLElement | null {
    this.reveal();
    this.draw();
    const place = `[aria-colindex="${this.selection.column + 1}"]`;
    return this.head.querySelector<HTMLElement>(`.cell${place} .more`);
  }

  /** Not the one that was active before: a key may come before the next frame. */
  private drawnActive(): HTMLElement | null {
    const { row, column } = this.selection;
    return this.body.querySelector<HTMLElement>(`#cell-${row}-${column}.active`);
  }

  private get lineCount(): number {
    return this.source.rowCount() + (this.source.takesRow() ? 1 : 0);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.target !== this.element) return;
    const { row, column } = this.selection;
    const page = Math.max(this.scrolling.visibleRows - 1, 1);
    const last = this.source.rowCount() - 1;
    const jump = event.ctrlKey || event.metaKey;
    const moves: Record<string, [number, number]> = {
      ArrowDown: [jump ? last : row + 1, column],
      ArrowUp: [jump ? 0 : row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + page, column],
      PageUp: [row - page, column],
      Home: [jump ? 0 : row, 0],
      End: [jump ? last : row, this.columns.count - 1],
    };
    const move = event.altKey ? undefined : moves[event.key];
    if (move !== undefined) this.goTo(move[0], move[1], event.shiftKey);
    else if (!this.selected(event, jump)) {
      this.events.key(event);
      return;
    }
    event.preventDefault();
  }

  /** Keys that select much at once, as in spreadsheets. */
  private selected(event: KeyboardEvent, jump: boolean): boolean {
    if (jump && event.key === "a") this.selection.selectAll();
    else if (event.key === " " && event.shiftKey) this.selection.selectRows();
    else if (event.key === " " && jump) this.selection.selectColumns();
    else return false;
    this.render();
    this.events.moved();
    return true;
  }

  private clicked(event: MouseEvent): void {
    const cell = cellAt(event);
    if (cell === null || event.button !== 0) return;
    if ((event.ctrlKey || event.metaKey) && !this.isNew(cell[0])) {
      this.selection.toggle(...cell);
      this.reveal();
    } else this.goTo(...cell, event.shiftKey);
    if ((event.target as HTMLElement).closest(".follow") !== null) {
      this.events.open(...cell);
    }
  }

  /** Anywhere in the line for a new row, also where it has no cells. */
  private newRowClicked(): void {
    const { column } = this.selection;
    this.goTo(this.source.rowCount(), column);
    this.events.open(this.source.rowCount(), column);
  }

  private menuWanted(event: MouseEvent): void {
    event.preventDefault();
    const cell = cellAt(event);
    if (cell !== null && !this.selection.blocks().some((block) => isIn(block, ...cell))) {
      this.goTo(...cell);
    }
    const wanted = (event.target as HTMLElement).closest<HTMLElement>(".row .cell");
    const anchor = wanted ?? this.activeElement();
    if (anchor !== null) this.events.menu(anchor);
  }

  private dragged(event: MouseEvent): void {
    const cell = event.buttons === 1 ? cellAt(event) : null;
    const { row, column } = this.selection;
    if (cell === null || (cell[0] === row && cell[1] === column)) return;
    this.goTo(...cell, true);
  }

  private draw(): void {
    const headers = this.source.headers();
    const count = this.lineCount;
    this.element.setAttribute("aria-rowcount", String(count + 1));
    this.element.setAttribute("aria-colcount", String(headers.length));
    const width = this.columns.total;
    this.scrolling.layout(width);
    const { first, visibleRows } = this.scrolling;
    const top = Math.max(Math.floor(first) - OVERSCAN_ROWS, 0);
    const end = Math.min(top + visibleRows + 2 * OVERSCAN_ROWS + 1, count);
    this.source.want(top, end);
    const shown = this.columns.inView(this.scrolling.left, this.scrolling.width);
    this.drawHead(headers, shown);
    this.drawRows(top, end, headers.length, shown);
    // The body sticks to the window; its rows are shifted by what is above the first visible one.
    this.body.style.transform = `translateY(${Math.round((top - first) * ROW_HEIGHT)}px)`;
    this.body.style.width = `${width}px`;
    const active = this.drawnActive();
    if (active === null) this.element.removeAttribute("aria-activedescendant");
    else this.element.setAttribute("aria-activedescendant", active.id);
  }

  /** The column of keys, room for the columns that are not in view, and those that are. */
  private drawHead(headers: Header[], [from, to]: [number, number]): void {
    const left = this.scrolling.left;
    this.head.style.transform = `translateX(${-left}px)`;
    this.head.style.setProperty("--left", `${left}px`);
    this.head.style.width = `${Math.max(this.columns.total, this.scrolling.width)}px`;
    const places = [0, ...range(from, to)];
    const shown = places.map((at) => ({ at, header: headers[at], width: this.columns.width(at) }));
    const key = JSON.stringify([shown, this.columns.start(from)]);
    if (this.head.dataset.drawn === key) {
      return;
    }
    this.head.dataset.drawn = key;
    const cells = shown.flatMap(({ at, header }) =>
      header === undefined ? [] : [headCell(header, at, this.columns.width(at), this.headEvents)],
    );
    cells.splice(1, 0, this.gap(from));
    this.head.replaceChildren(...cells);
  }

  /** As wide as the columns between that of the keys and the first one that is drawn. */
  private gap(from: number): HTMLElement {
    const gap = h("div", { class: "gap", role: "presentation" });
    gap.style.width = `${this.columns.start(from) - this.columns.width(0)}px`;
    return gap;
  }

  private drawRows(top: number, end: number, columns: number, [from, to]: [number, number]): void {
    const blocks = this.selection.isOneCell ? [] : this.selection.blocks();
    const last = columns - 1;
    while (this.body.children.length > end - top) this.body.lastElementChild?.remove();
    for (let at = top; at < end; at += 1) {
      let line = this.body.children[at - top] as HTMLElement | undefined;
      if (line === undefined) {
        line = h("div", { role: "row" });
        this.body.append(line);
      }
      const here = blocks.filter(({ top: start, bottom }) => start <= at && at <= bottom);
      line.className = `row${this.isNew(at) ? " new" : at % 2 === 1 ? " odd" : ""}`;
      line.setAttribute("aria-rowindex", String(at + 2));
      const isWhole = here.some(({ left, right }) => left === 0 && right >= last);
      line.setAttribute("aria-selected", String(isWhole));
      const wanted = 2 + Math.max(to - from, 0);
      while (line.children.length > wanted) line.lastElementChild?.remove();
      this.drawCell(line, 0, at, 0, here);
      const gap = line.children[1] as HTMLElement | undefined;
      if (gap === undefined) line.append(this.gap(from));
      else gap.style.width = `${this.columns.start(from) - this.columns.width(0)}px`;
      for (let column = from; column < to; column += 1) {
        this.drawCell(line, 2 + column - from, at, column, here);
      }
    }
  }

  /** `place` is that of the element among those of the line. */
  private drawCell(
    line: HTMLElement,
    place: number,
    row: number,
    column: number,
    blocks: Block[],
  ): void {
    let cell = line.children[place] as HTMLElement | undefined;
    if (cell === undefined) {
      cell = h("div", { role: "gridcell" });
      line.append(cell);
    }
    cell.setAttribute("aria-colindex", String(column + 1));
    const content = this.source.cell(row, column);
    const active = row === this.selection.row && column === this.selection.column;
    const selected = blocks.some((block) => isIn(block, row, column));
    const reason =
      this.blamed?.row === row && this.blamed.column === column ? this.blamed.reason : "";
    const name = [
      "cell",
      column === 0 ? "key" : "",
      active ? "active" : "",
      selected ? "selected" : "",
      reason === "" ? "" : "wrong",
      `type-${content?.type ?? "coming"}`,
    ];
    const text = content?.text ?? "…";
    const classes = name.filter((each) => each !== "").join(" ");
    if (cell.className !== classes) {
      cell.className = classes;
      cell.setAttribute("aria-selected", String(selected || active));
    }
    cell.style.width = `${this.columns.width(column)}px`;
    cell.id = `cell-${row}-${column}`;
    cell.dataset.row = String(row);
    cell.dataset.column = String(column);
    const label = content?.label ?? "loading";
    const drawn = `${content?.type}:${label}:${text}:${reason}`;
    if (cell.dataset.drawn === drawn) return;
    cell.dataset.drawn = drawn;
    cell.setAttribute("aria-label", reason === "" ? label : `${label}. Refused: ${reason}`);
    cell.title = reason === "" ? text : reason;
    cell.replaceChildren(text);
    if (content?.type === "table") {
      cell.append(h("span", { class: "follow", title: "Open (Enter)", "aria-hidden": true }, "›"));
    }
  }

  private resize(event: MouseEvent, column: number): void {
    event.preventDefault();
    const start = event.clientX;
    const before = this.columns.width(column);
    const move = (moved: MouseEvent) => {
      this.columns.resize(column, before + moved.clientX - start);
      this.render();
    };
    const end = () => {
      window.removeEventListener("mousemove", move);
      window.removeEventListener("mouseup", end);
    };
    window.addEventListener("mousemove", move);
    window.addEventListener("mouseup", end);
  }
}

function cellAt(event: MouseEvent): [number, number] | null {
  const cell = (event.target as HTMLElement).closest<HTMLElement>(".cell");
  return cell === null ? null : [Number(cell.dataset.row), Number(cell.dataset.column)];
}
