// Which rows the window shows. Of more rows than an element can be tall, one pixel of the scroll
// bar stands for several.

import { h } from "../../webview/dom";

export const ROW_HEIGHT = 24;
/** Browsers do not show elements that are much taller; more rows than fit are scrolled faster. */
const SCROLL_HEIGHT_MAX = 8_000_000;

export class Scrolling {
  readonly scroller: HTMLElement;
  private readonly space = h("div", { class: "space", role: "presentation" });
  /** The number of the first visible row, of which a part may be above the window. */
  private shown = 0;
  /** Where the bar was put by this class, not by the user. */
  private ownScroll = -1;

  constructor(
    body: HTMLElement,
    private readonly lineCount: () => number,
    private readonly moved: () => void,
  ) {
    this.space.append(body);
    this.scroller = h("div", { class: "scroller", role: "presentation" }, this.space);
    this.scroller.addEventListener("scroll", () => this.scrolled());
    this.scroller.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
  }

  get first(): number {
    return this.shown;
  }

  get visibleRows(): number {
    return Math.max(Math.floor(this.scroller.clientHeight / ROW_HEIGHT), 1);
  }

  get left(): number {
    return this.scroller.scrollLeft;
  }

  get width(): number {
    return this.scroller.clientWidth;
  }

  reset(): void {
    this.shown = 0;
    this.scroller.scrollTop = 0;
  }

  /** There are as many lines as there are now, and they are so wide. */
  layout(width: number): void {
    this.space.style.height = `${this.scrollHeight()}px`;
    this.space.style.width = `${width}px`;
    this.shown = Math.min(this.shown, this.lastFirst());
  }

  scrollTo(first: number): void {
    this.shown = Math.max(0, Math.min(first, this.lastFirst()));
    const scale = this.rowsPerPixel();
    this.ownScroll = scale === 0 ? 0 : Math.round(this.shown / scale);
    this.scroller.scrollTop = this.ownScroll;
    this.moved();
  }

  /** Scrolls no further than it must for this row to be seen. */
  reveal(row: number): void {
    const visible = this.visibleRows;
    if (row < this.shown) this.scrollTo(row);
    else if (row > this.shown + visible - 1) this.scrollTo(row - visible + 1);
  }

  /** The same for a column, right of one of a `fixed` width that does not move. */
  revealColumn(left: number, width: number, fixed: number): void {
    const room = this.scroller.clientWidth - fixed;
    if (left === 0 || left < this.scroller.scrollLeft) this.scroller.scrollLeft = left;
    else if (left + width > this.scroller.scrollLeft + room) {
      this.scroller.scrollLeft = left + width - room;
    }
  }

  private rowsPerPixel(): number {
    const range = this.scrollHeight() - this.scroller.clientHeight;
    return range <= 0 ? 0 : this.lastFirst() / range;
  }

  private scrollHeight(): number {
    return Math.min(this.lineCount() * ROW_HEIGHT, SCROLL_HEIGHT_MAX);
  }

  private lastFirst(): number {
    const exact = this.scroller.clientHeight / ROW_HEIGHT;
    return Math.max(this.lineCount() - exact, 0);
  }

  private scrolled(): void {
    const top = this.scroller.scrollTop;
    if (Math.abs(top - this.ownScroll) > 1) {
      this.shown = Math.min(top * this.rowsPerPixel(), this.lastFirst());
    }
    this.ownScroll = -1;
    this.moved();
  }

  private wheeled(event: WheelEvent): void {
    if (event.ctrlKey || this.lineCount() * ROW_HEIGHT <= SCROLL_HEIGHT_MAX) return;
    if (Math.abs(event.deltaY) < Math.abs(event.deltaX)) return;
    // One pixel of the bar would be many rows: the wheel moves rows, and the bar follows.
    event.preventDefault();
    this.scrollTo(this.shown + event.deltaY / ROW_HEIGHT);
  }
}
