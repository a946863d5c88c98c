// The line that is typed at the prompt: text, cursor, history, and how it is drawn in a terminal of
// some width. Knows neither VS Code nor Lua.

const ESCAPE = "\x1b[";
const HISTORY_MAX = 500;

export type Asked =
  | { kind: "submit"; text: string }
  | { kind: "complete" }
  | { kind: "interrupt" }
  | { kind: "end" }
  | { kind: "clear" };

export class LineEditor {
  text = "";
  cursor = 0;
  private at: number;
  private draft = "";
  /** Rows above the one with the cursor, as last drawn. */
  private rowsAbove = 0;

  constructor(
    readonly history: string[],
    private readonly prompts: { first: string; next: string },
    public columns: number,
  ) {
    this.at = history.length;
  }

  /** Takes what the terminal sends; what is to be done is returned, in order. */
  take(data: string): Asked[] {
    const asked: Asked[] = [];
    // A paste comes as one piece: its line ends belong to the text.
    const isPaste = data.length > 1 && !data.startsWith("\x1b") && /[\r\n]/.test(data);
    if (isPaste) {
      const text = data.replaceAll(/\r\n?/g, "\n");
      this.insert(text.replace(/\n$/, ""));
      if (text.endsWith("\n")) asked.push(this.submit());
      return asked;
    }
    for (const key of keysOf(data)) {
      const one = this.key(key);
      if (one !== undefined) asked.push(one);
    }
    return asked;
  }

  /** Replaces what stands from `start` to the cursor. */
  replace(start: number, text: string): void {
    this.text = this.text.slice(0, start) + text + this.text.slice(this.cursor);
    this.cursor = start + text.length;
  }

  /** Goes on typing in a new line: what was submitted is not complete. */
  goOn(text: string): void {
    this.text = `${text}\n`;
    this.cursor = this.text.length;
    this.rowsAbove = 0;
  }

  remember(text: string): void {
    if (text.trim() !== "" && this.history.at(-1) !== text) this.history.push(text);
    if (this.history.length > HISTORY_MAX) this.history.shift();
    this.at = this.history.length;
    this.draft = "";
  }

  /** The terminal's text that draws the line, over what was drawn before. */
  draw(): string {
    const up = this.rowsAbove > 0 ? `${ESCAPE}${this.rowsAbove}A` : "";
    const lines = this.text.split("\n");
    const shown = lines.map((line, at) => this.prompt(at) + line).join("\r\n");
    const [row, column] = this.place(this.cursor);
    const [lastRow, end] = this.place(this.text.length);
    // A terminal goes to the next row when something is written there, not when a row is full.
    const turn = end === 0 ? " " : "";
    this.rowsAbove = row;
    const back = lastRow > row ? `${ESCAPE}${lastRow - row}A` : "";
    return `${up}\r${ESCAPE}J${shown}${turn}${back}\r${column > 0 ? `${ESCAPE}${column}C` : ""}`;
  }

  /** Ends the line on the screen: what follows is written below it. */
  leave(): string {
    const [row] = this.place(this.cursor);
    const [lastRow] = this.place(this.text.length);
    this.rowsAbove = 0;
    return `${lastRow > row ? `${ESCAPE}${lastRow - row}B` : ""}\r\n`;
  }

  /** How many rows of the screen the line takes. */
  get rows(): number {
    return this.place(this.text.length)[0] + 1;
  }

  reset(): void {
    this.text = "";
    this.cursor = 0;
    this.rowsAbove = 0;
  }

  private prompt(line: number): string {
    return line === 0 ? this.prompts.first : this.prompts.next;
  }

  /** The row and column of a place in the text, below the first row. */
  private place(offset: number): [number, number] {
    const before = this.text.slice(0, offset).split("\n");
    let row = 0;
    let column = 0;
    for (const [at, line] of before.entries()) {
      const width = columnsOf(this.prompt(at) + line, this.columns);
      column = width % this.columns;
      if (at === before.length - 1) row += Math.floor(width / this.columns);
      else row += Math.max(Math.ceil(width / this.columns), 1);
    }
    return [row, column];
  }

  private insert(text: string): void {
    this.text = this.text.slice(0, this.cursor) + text + this.text.slice(this.cursor);
    this.cursor += text.length;
  }

  private remove(from: number, to: number): void {
    this.text = this.text.slice(0, from) + this.text.slice(to);
    this.cursor = from;
  }

  private submit(): Asked {
    this.cursor = this.text.length;
    return { kind: "submit", text: this.text };
  }

  private key(key: string): Asked | undefined {
    const { text, cursor } = this;
    switch (key) {
      case "\r":
        return this.submit();
      case "\n": // Ctrl+J
      case "\x1b\r": // Alt+Enter
        this.insert("\n");
        return undefined;
      case "\t":
        return { kind: "complete" };
      case "\x03":
        return { kind: "interrupt" };
      case "\x04":
        if (text === "") return { kind: "end" };
        this.remove(cursor, this.right());
        return undefined;
      case "\x0c":
        return { kind: "clear" };
      case "\x7f":
      case "\b":
        this.remove(this.left(), cursor);
        return undefined;
      case `${ESCAPE}3~`:
        this.remove(cursor, this.right());
        return undefined;
      case "\x17": // Ctrl+W
      case "\x1b\x7f":
        this.remove(this.wordLeft(), cursor);
        return undefined;
      case "\x15": // Ctrl+U
        this.remove(this.lineStart(), cursor);
        return undefined;
      case "\x0b": // Ctrl+K
        this.remove(cursor, this.lineEnd());
        return undefined;
      default:
        this.move(key);
        return undefined;
    }
  }

  private move(key: string): void {
    const places: Record<string, () => number> = {
      [`${ESCAPE}D`]: () => this.left(),
      [`${ESCAPE}C`]: () => this.right(),
      [`${ESCAPE}1;5D`]: () => this.wordLeft(),
      [`${ESCAPE}1;5C`]: () => this.wordRight(),
      "\x1bb": () => this.wordLeft(),
      "\x1bf": () => this.wordRight(),
      [`${ESCAPE}H`]: () => this.lineStart(),
      "\x01": () => this.lineStart(),
      [`${ESCAPE}F`]: () => this.lineEnd(),
      "\x05": () => this.lineEnd(),
    };
    const place = places[key];
    if (place !== undefined) this.cursor = place();
    else if (key === `${ESCAPE}A` || key === "\x10") this.upOrBack();
    else if (key === `${ESCAPE}B` || key === "\x0e") this.downOrOn();
    else if (!key.startsWith("\x1b") && key >= " ") this.insert(key);
  }

  /** Up a line of the text; in its first line, back in the history. */
  private upOrBack(): void {
    const start = this.lineStart();
    if (start > 0) {
      const above = this.text.lastIndexOf("\n", start - 2) + 1;
      this.cursor = Math.min(above + this.cursor - start, start - 1);
    } else if (this.at > 0) {
      if (this.at === this.history.length) this.draft = this.text;
      this.at -= 1;
      this.recall(this.history[this.at] ?? "");
    }
  }

  private downOrOn(): void {
    const end = this.lineEnd();
    if (end < this.text.length) {
      const column = this.cursor - this.lineStart();
      const next = this.text.indexOf("\n", end + 1);
      this.cursor = Math.min(end + 1 + column, next < 0 ? this.text.length : next);
    } else if (this.at < this.history.length) {
      this.at += 1;
      this.recall(this.at === this.history.length ? this.draft : (this.history[this.at] ?? ""));
    }
  }

  private recall(text: string): void {
    this.text = text;
    this.cursor = text.length;
  }

  private left(): number {
    const step = /[\udc00-\udfff]/.test(this.text[this.cursor - 1] ?? "") ? 2 : 1;
    return Math.max(this.cursor - step, 0);
  }

  private right(): number {
    const step = /[\ud800-\udbff]/.test(this.text[this.cursor] ?? "") ? 2 : 1;
    return Math.min(this.cursor + step, this.text.length);
  }

  private wordLeft(): number {
    return Math.max(this.text.slice(0, this.cursor).search(/\w+\W*$|\W+$/), 0);
  }

  private wordRight(): number {
    const found = /^\W*\w+/.exec(this.text.slice(this.cursor));
    return found === null ? this.text.length : this.cursor + found[0].length;
  }

  private lineStart(): number {
    return this.text.lastIndexOf("\n", this.cursor - 1) + 1;
  }

  private lineEnd(): number {
    const end = this.text.indexOf("\n", this.cursor);
    return end < 0 ? this.text.length : end;
  }
}

/** Keys, with escape sequences as one key each. */
export function keysOf(data: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals send
  return data.match(/\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Z]|\x1b[\s\S]|[\s\S]/gu) ?? [];
}

/** What a terminal draws in two columns: East Asian wide and fullwidth characters, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{1b2fb}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** What stands on the character before it. */
const NARROW = /[\p{Mn}\p{Me}\u200b-\u200f\u2060]/u;

/**
 * How many columns a text takes, without its colours, in a terminal of some width: a wide character
 * that does not fit at the end of a row leaves a column empty.
 */
export function columnsOf(text: string, columns: number): number {
  let width = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
  for (const character of text.replaceAll(/\x1b\[[\d;]*m/g, "")) {
    if (NARROW.test(character)) continue;
    const takes = WIDE.test(character) ? 2 : 1;
    if (takes === 2 && width % columns === columns - 1) width += 1;
    width += takes;
  }
  return width;
}
