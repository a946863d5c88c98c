// The grid itself: as many row elements as fit the window, moved over any number of rows. It knows
// rows and columns by number; what they hold it asks for.

import { everyFrame, h } from "../../webview/dom";
import { type Block, isIn, Selection } from "./selection";

export const ROW_HEIGHT = 24;
const OVERSCAN_ROWS = 4;
/** Browsers do not show elements that are much taller; more rows than fit are scrolled faster. */
const SCROLL_HEIGHT_MAX = 8_000_000;
const WIDTH_MIN = 56;
const WIDTH_KEY = 110;
const WIDTH_CELL = 150;

export interface Cell {
  text: string;
  type: string;
  label: string;
}

export interface Header {
  text: string;
  /** Of its values, the most frequent first. */
  types: string[];
  sort: "ascending" | "descending" | "none";
}

export interface SheetSource {
  rowCount(): number;
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
  private first = 0;
  private widths: number[] = [];
  private readonly head = h("div", { class: "head", role: "row", "aria-rowindex": 1 });
  private readonly body = h("div", { class: "body", role: "presentation" });
  private readonly space = h("div", { class: "space", role: "presentation" });
  private readonly scroller: HTMLElement;
  private ownScroll = -1;
  readonly render = everyFrame(() => this.draw());

  constructor(
    readonly element: HTMLElement,
    private readonly source: SheetSource,
    private readonly events: SheetEvents,
  ) {
    this.selection = new Selection(() => ({
      rows: source.rowCount(),
      columns: this.widths.length,
    }));
    this.space.append(this.body);
    this.scroller = h("div", { class: "scroller", role: "presentation" }, this.space);
    element.append(this.head, this.scroller);
    this.scroller.addEventListener("scroll", () => this.scrolled());
    this.scroller.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
    element.addEventListener("keydown", (event) => this.pressed(event));
    this.body.addEventListener("mousedown", (event) => this.clicked(event));
    this.body.addEventListener("mousemove", (event) => this.dragged(event));
    // The key for menus comes as this event, too, on the element that has the focus.
    element.addEventListener("contextmenu", (event) => this.menuWanted(event));
    this.body.addEventListener("dblclick", () => {
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
    this.first = 0;
    this.blamed = undefined;
    this.selection.moveTo(0, this.selection.column);
    this.scroller.scrollTop = 0;
    this.render();
  }

  /** Columns are others now. */
  layout(): void {
    const count = this.source.headers().length;
    this.widths = Array.from({ length: count }, (_, at) => {
      return this.widths[at] ?? (at === 0 ? WIDTH_KEY : WIDTH_CELL);
    });
    const { row, column } = this.selection;
    if (column >= count || row >= this.source.rowCount()) this.selection.moveTo(row, column);
    this.render();
  }

  get firstVisible(): number {
    return Math.floor(this.first);
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
    const visible = this.visibleRows();
    if (row < this.first) this.scrollTo(row);
    else if (row > this.first + visible - 1) this.scrollTo(row - visible + 1);
    const left = this.widths.slice(1, column).reduce((sum, width) => sum + width, 0);
    const width = this.widths[column] ?? 0;
    if (column === 0) {
      this.scroller.scrollLeft = 0;
    } else {
      const room = this.scroller.clientWidth - (this.widths[0] ?? 0);
      if (left < this.scroller.scrollLeft) this.scroller.scrollLeft = left;
      else if (left + width > this.scroller.scrollLeft + room) {
        this.scroller.scrollLeft = left + width - room;
      }
    }
    this.render();
    this.events.moved();
  }

  /** The element of the active cell, if it is in view. */
  activeElement(): HTMLElement | null {
    return this.body.querySelector<HTMLElement>(".cell.active");
  }

  private visibleRows(): number {
    return Math.max(Math.floor(this.scroller.clientHeight / ROW_HEIGHT), 1);
  }

  /** How many rows one pixel of the scroll bar stands for. */
  private rowsPerPixel(): number {
    const range = this.scrollHeight() - this.scroller.clientHeight;
    return range <= 0 ? 0 : this.lastFirst() / range;
  }

  private scrollHeight(): number {
    return Math.min(this.source.rowCount() * ROW_HEIGHT, SCROLL_HEIGHT_MAX);
  }

  private lastFirst(): number {
    const exact = this.scroller.clientHeight / ROW_HEIGHT;
    return Math.max(this.source.rowCount() - exact, 0);
  }

  private scrollTo(first: number): void {
    this.first = Math.max(0, Math.min(first, this.lastFirst()));
    const scale = this.rowsPerPixel();
    this.ownScroll = scale === 0 ? 0 : Math.round(this.first / scale);
    this.scroller.scrollTop = this.ownScroll;
    this.render();
  }

  private scrolled(): void {
    const top = this.scroller.scrollTop;
    if (Math.abs(top - this.ownScroll) > 1) {
      this.first = Math.min(top * this.rowsPerPixel(), this.lastFirst());
    }
    this.ownScroll = -1;
    this.render();
  }

  private wheeled(event: WheelEvent): void {
    if (event.ctrlKey || this.source.rowCount() * ROW_HEIGHT <= SCROLL_HEIGHT_MAX) return;
    if (Math.abs(event.deltaY) < Math.abs(event.deltaX)) return;
    // One pixel of the bar would be many rows: the wheel moves rows, and the bar follows.
    event.preventDefault();
    this.scrollTo(this.first + event.deltaY / ROW_HEIGHT);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.target !== this.element) return;
    const { row, column } = this.selection;
    const page = Math.max(this.visibleRows() - 1, 1);
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
      End: [jump ? last : row, this.widths.length - 1],
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
    if (event.ctrlKey || event.metaKey) {
      this.selection.toggle(...cell);
      this.reveal();
    } else this.goTo(...cell, event.shiftKey);
    if ((event.target as HTMLElement).closest(".follow") !== null) {
      this.events.open(...cell);
    }
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
    const count = this.source.rowCount();
    this.element.setAttribute("aria-rowcount", String(count + 1));
    this.element.setAttribute("aria-colcount", String(headers.length));
    this.space.style.height = `${this.scrollHeight()}px`;
    const width = this.widths.reduce((sum, each) => sum + each, 0);
    this.space.style.width = `${width}px`;
    this.first = Math.min(this.first, this.lastFirst());
    const top = Math.max(Math.floor(this.first) - OVERSCAN_ROWS, 0);
    const end = Math.min(top + this.visibleRows() + 2 * OVERSCAN_ROWS + 1, count);
    this.source.want(top, end);
    this.drawHead(headers);
    this.drawRows(top, end, headers.length);
    // The body sticks to the window; its rows are shifted by what is above the first visible one.
    this.body.style.transform = `translateY(${Math.round((top - this.first) * ROW_HEIGHT)}px)`;
    this.body.style.width = `${width}px`;
    const active = this.activeElement();
    if (active === null) this.element.removeAttribute("aria-activedescendant");
    else this.element.setAttribute("aria-activedescendant", active.id);
  }

  private drawHead(headers: Header[]): void {
    const left = this.scroller.scrollLeft;
    this.head.style.transform = `translateX(${-left}px)`;
    this.head.style.setProperty("--left", `${left}px`);
    const key = JSON.stringify([headers, this.widths]);
    if (this.head.dataset.drawn === key) {
      return;
    }
    this.head.dataset.drawn = key;
    this.head.replaceChildren(
      ...headers.map((header, at) => {
        const mark = { ascending: " ▲", descending: " ▼", none: "" }[header.sort];
        const types = header.types.join(", ");
        const hint = types === "" ? "Click to sort." : `${types}. Click to sort.`;
        const title = h("button", { class: "sort", tabindex: -1, title: hint });
        title.append(header.text, mark);
        if (types !== "") {
          const short = header.types.length > 1 ? "mixed" : types;
          title.append(h("span", { class: "types-of quiet" }, short));
        }
        title.addEventListener("click", () => this.events.sort(at));
        const more = h("button", {
          class: "more",
          tabindex: -1,
          "aria-label": `Column ${header.text}: more`,
          title: "More",
        });
        more.append("⋮");
        more.addEventListener("click", () => this.events.header(at, more));
        const grip = h("span", { class: "grip", "aria-hidden": true });
        grip.addEventListener("mousedown", (event) => this.resize(event, at));
        const cell = h(
          "div",
          {
            class: at === 0 ? "cell key" : "cell",
            role: "columnheader",
            "aria-colindex": at + 1,
            "aria-sort": header.sort,
          },
          title,
          more,
          grip,
        );
        cell.style.width = `${this.widths[at] ?? WIDTH_CELL}px`;
        return cell;
      }),
    );
  }

  private drawRows(top: number, end: number, columns: number): void {
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
      line.className = `row${at % 2 === 1 ? " odd" : ""}`;
      line.setAttribute("aria-rowindex", String(at + 2));
      const isWhole = here.some(({ left, right }) => left === 0 && right >= last);
      line.setAttribute("aria-selected", String(isWhole));
      while (line.children.length > columns) line.lastElementChild?.remove();
      for (let column = 0; column < columns; column += 1) {
        this.drawCell(line, at, column, here);
      }
    }
  }

  private drawCell(line: HTMLElement, row: number, column: number, blocks: Block[]): void {
    let cell = line.children[column] as HTMLElement | undefined;
    if (cell === undefined) {
      cell = h("div", { role: "gridcell", "aria-colindex": column + 1 });
      line.append(cell);
    }
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
    cell.style.width = `${this.widths[column] ?? WIDTH_CELL}px`;
    cell.id = `cell-${row}-${column}`;
    cell.dataset.row = String(row);
    cell.dataset.column = String(column);
    const drawn = `${content?.type}:${text}:${reason}`;
    if (cell.dataset.drawn === drawn) return;
    cell.dataset.drawn = drawn;
    const label = content?.label ?? "loading";
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
    const before = this.widths[column] ?? WIDTH_CELL;
    const move = (moved: MouseEvent) => {
      this.widths[column] = Math.max(before + moved.clientX - start, WIDTH_MIN);
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
