// A prompt in a terminal that shares the session: what is defined in the editor is there, and back.

import * as vscode from "vscode";
import { problemText } from "../evaluate/results";
import { currentFolder, nameOf, type Place } from "../folder";
import { Lifetime, messageOf } from "../lifetime";
import type { Completions, Evaluation } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import { type Asked, LineEditor } from "./lineEditor";
import { Locations } from "./locations";

const NAME = "Lua";
const HISTORY_KEY = "luaPersist.replHistory";
const COLUMNS_DEFAULT = 80;
const COMPLETIONS_MAX = 60;

const COLOR = {
  prompt: "\x1b[1;32m",
  value: "\x1b[36m",
  error: "\x1b[31m",
  quiet: "\x1b[90m",
  end: "\x1b[0m",
};

interface Prompt {
  terminal: vscode.Terminal;
  repl: Repl;
}

export class Repls implements vscode.Disposable {
  private readonly lifetime = new Lifetime();
  /** One prompt a folder: what is typed in it goes where its first line says, whatever is edited. */
  private readonly prompts = new Map<string, Prompt>();
  private last: Repl | undefined;

  constructor(
    private readonly server: LuaServer,
    private readonly memory: vscode.Memento,
  ) {
    const links = new Locations((terminal) => this.placeOf(terminal));
    this.lifetime.own(vscode.window.registerTerminalLinkProvider(links));
    this.lifetime.own(
      vscode.window.onDidCloseTerminal((closed) => {
        for (const [key, { terminal, repl }] of this.prompts) {
          if (terminal !== closed) continue;
          this.prompts.delete(key);
          if (this.last === repl) this.last = undefined;
        }
      }),
    );
  }

  open(): void {
    const place = currentFolder();
    const key = place.uri ?? "";
    const prompt = this.prompts.get(key) ?? this.make(place);
    this.prompts.set(key, prompt);
    this.last = prompt.repl;
    prompt.terminal.show();
  }

  /** The prompt that was opened last, for tests. */
  get current(): Repl | undefined {
    return this.last;
  }

  dispose(): void {
    for (const { terminal } of this.prompts.values()) terminal.dispose();
    this.lifetime.dispose();
  }

  private make(place: Place): Prompt {
    const folder = nameOf(place);
    const repl = new Repl(this.server, this.memory, place);
    const terminal = vscode.window.createTerminal({
      name: folder === undefined ? NAME : `${NAME} (${folder})`,
      pty: repl,
      iconPath: new vscode.ThemeIcon("database"),
      isTransient: true,
    });
    return { terminal, repl };
  }

  private placeOf(wanted: vscode.Terminal): Place | undefined {
    return [...this.prompts.values()].find(({ terminal }) => terminal === wanted)?.repl.place;
  }
}

export class Repl implements vscode.Pseudoterminal {
  private readonly lifetime = new Lifetime();
  private readonly writeEmitter = this.lifetime.own(new vscode.EventEmitter<string>());
  private readonly closeEmitter = this.lifetime.own(new vscode.EventEmitter<void>());
  readonly onDidWrite = this.writeEmitter.event;
  readonly onDidClose = this.closeEmitter.event;
  private readonly editor: LineEditor;
  private count = 0;
  /** The name of the chunk that runs, and whether its output has been shown while it ran. */
  private running: { name: string; started: boolean; streamed: boolean } | undefined;
  private typedAhead = "";

  constructor(
    private readonly server: LuaServer,
    private readonly memory: vscode.Memento,
    readonly place: Place,
  ) {
    const prompts = {
      first: `${COLOR.prompt}> ${COLOR.end}`,
      next: `${COLOR.prompt}| ${COLOR.end}`,
    };
    const history = [...memory.get<string[]>(HISTORY_KEY, [])];
    this.editor = new LineEditor(history, prompts, COLUMNS_DEFAULT);
    this.lifetime.own(
      server.onStatus((status) => {
        if (this.running !== undefined && status.name === this.running.name) {
          this.running.started = true;
        }
      }),
    );
    this.lifetime.own(
      server.onOutput(({ pieces }) => {
        if (this.running === undefined || !this.running.started) return;
        this.running.streamed = true;
        for (const piece of pieces) this.print(piece.text);
      }),
    );
  }

  open(dimensions: vscode.TerminalDimensions | undefined): void {
    this.setDimensions(dimensions ?? { columns: COLUMNS_DEFAULT, rows: 24 });
    const session = nameOf(this.place) ?? "this workspace";
    this.line(
      `${COLOR.quiet}Lua in the session of ${session}. Alt+Enter: new line, Tab: complete, Ctrl+C: interrupt.${COLOR.end}`,
    );
    this.redraw();
  }

  close(): void {
    this.lifetime.dispose();
  }

  setDimensions({ columns }: vscode.TerminalDimensions): void {
    this.editor.columns = Math.max(columns, 10);
  }

  handleInput(data: string): void {
    if (this.running !== undefined) {
      if (data === "\x03") void this.server.call("interrupt", this.place);
      else this.typedAhead += data;
      return;
    }
    const asked = this.editor.take(data);
    this.redraw();
    for (const one of asked) void this.answer(one);
  }

  private async answer(asked: Asked): Promise<void> {
    switch (asked.kind) {
      case "submit":
        return this.evaluate(asked.text);
      case "complete":
        return this.complete();
      case "clear":
        this.write("\x1b[2J\x1b[H");
        this.editor.leave();
        this.redraw();
        return;
      case "end":
        this.closeEmitter.fire();
        return;
      case "interrupt":
        this.write(this.editor.leave());
        this.editor.reset();
        this.redraw();
    }
  }

  private async evaluate(text: string): Promise<void> {
    const { rows } = this.editor;
    this.write(this.editor.leave());
    if (text.trim() === "") {
      this.editor.reset();
      this.redraw();
      return;
    }
    this.count += 1;
    const name = `repl ${this.count}`;
    this.running = { name, started: false, streamed: false };
    try {
      const evaluation = await this.server.call("evaluateText", {
        ...this.place,
        text,
        name,
      });
      if (isIncomplete(evaluation)) {
        this.write(`\x1b[${rows}A`);
        this.editor.goOn(text);
      } else {
        this.remember(text);
        this.show(evaluation, this.running.streamed);
      }
    } catch (error) {
      this.remember(text);
      this.line(`${COLOR.error}${messageOf(error)}${COLOR.end}`);
    } finally {
      this.running = undefined;
    }
    this.redraw();
    const ahead = this.typedAhead;
    this.typedAhead = "";
    if (ahead !== "") this.handleInput(ahead);
  }

  private remember(text: string): void {
    this.editor.reset();
    this.editor.remember(text);
    void this.memory.update(HISTORY_KEY, this.editor.history);
  }

  private show(evaluation: Evaluation, wasStreamed: boolean): void {
    if (!wasStreamed) for (const piece of evaluation.output) this.print(piece.text);
    const last = evaluation.output.at(-1)?.text ?? "\n";
    if (!last.endsWith("\n")) this.line("");
    if (evaluation.ok && evaluation.values.length > 0) {
      this.line(`${COLOR.value}${evaluation.text}${COLOR.end}`);
    }
    for (const problem of evaluation.problems) {
      this.line(`${COLOR.error}${problemText(problem)}${COLOR.end}`);
    }
  }

  private async complete(): Promise<void> {
    const { text, cursor } = this.editor;
    let found: Completions;
    try {
      const place = { ...this.place, text, offset: cursor };
      found = await this.server.call("completeText", place);
    } catch {
      return; // Completion is a help, not worth a message in the middle of a line.
    }
    if (this.editor.text !== text) return;
    const { start } = found;
    const typed = text.slice(start, cursor);
    const fitting = found.items.filter(({ insert }) => insert.startsWith(typed));
    if (fitting.length === 0) return;
    const common = commonStart(fitting.map(({ insert }) => insert));
    if (common.length > typed.length) {
      this.editor.replace(start, common);
    } else if (fitting.length > 1) {
      this.write(this.editor.leave());
      const names = fitting.slice(0, COMPLETIONS_MAX).map(({ label }) => label);
      const more = fitting.length > COMPLETIONS_MAX ? ["…"] : [];
      this.line(`${COLOR.quiet}${[...names, ...more].join("  ")}${COLOR.end}`);
    }
    this.redraw();
  }

  private redraw(): void {
    this.write(this.editor.draw());
  }

  private line(text: string): void {
    this.print(`${text}\n`);
  }

  private print(text: string): void {
    this.write(text.replaceAll(/\r?\n/g, "\r\n"));
  }

  private write(text: string): void {
    this.writeEmitter.fire(text);
  }
}

/** Nothing was evaluated, for the source ends too early: one can go on typing. */
function isIncomplete(evaluation: Evaluation): boolean {
  const [problem] = evaluation.problems;
  return problem?.kind === "syntax" && /near <eof>$/.test(problem.message);
}

function commonStart(texts: readonly string[]): string {
  let common = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(common)) common = common.slice(0, -1);
  return common;
}
