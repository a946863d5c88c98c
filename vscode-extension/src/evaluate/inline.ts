// Results, output and errors behind the code, as decorations. Each belongs to a range of its
// document: it moves with edits above, and goes when that range is edited or evaluated again.

import * as vscode from "vscode";
import { COMMANDS } from "../commands";
import { isOf, type Place } from "../folder";
import { Lifetime } from "../lifetime";
import type { Evaluation, OutputPiece, Problem } from "../protocol";
import { setting } from "../settings";
import { fenced, oneLine, placeText, type Results, valueLabel } from "./results";
import { meets, moved, type Span } from "./tracking";

type Kind = "result" | "output" | "error" | "pending";

interface Item {
  kind: Kind;
  label: string;
  watched: Span;
  /** The document whose evaluation this came from. */
  origin: string;
  /** What was evaluated there, if this stands elsewhere: it goes when that is edited. */
  cause?: Span | undefined;
  hover: string;
}

const FLASH_MS = 250;
const PENDING_DELAY_MS = 150;
const OUTPUT_ITEMS_MAX = 1_000;
const HAS_RESULTS_CONTEXT = "luaPersist.hasInlineResults";
const LINK_COMMANDS = [COMMANDS.copyResult, COMMANDS.openResult, COMMANDS.undo];

export class InlineResults implements vscode.Disposable {
  private readonly lifetime = new Lifetime();
  private readonly items = new Map<string, Item[]>();
  private readonly types: Record<Kind, vscode.TextEditorDecorationType>;
  private readonly flashType: vscode.TextEditorDecorationType;
  private readonly refreshEmitter = this.lifetime.own(new vscode.EventEmitter<void>());
  /** After every change of what is shown. */
  readonly onRefresh = this.refreshEmitter.event;
  private readonly flashEmitter = this.lifetime.own(new vscode.EventEmitter<void>());
  /** When something is highlighted for a moment. */
  readonly onFlash = this.flashEmitter.event;

  constructor(private readonly results: Results) {
    this.types = {
      result: this.decoration("result"),
      output: this.decoration("output"),
      error: this.decoration("error"),
      pending: this.decoration("pending"),
    };
    this.flashType = this.lifetime.own(
      vscode.window.createTextEditorDecorationType({
        backgroundColor: new vscode.ThemeColor("luaPersist.evaluatedBackground"),
        rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
      }),
    );
    this.lifetime.own(vscode.workspace.onDidChangeTextDocument((event) => this.edited(event)));
    this.lifetime.own(
      vscode.workspace.onDidCloseTextDocument((document) => this.clear(document.uri.toString())),
    );
    this.lifetime.own(
      vscode.window.onDidChangeVisibleTextEditors((editors) => {
        for (const editor of editors) this.render(editor.document.uri.toString());
      }),
    );
    this.lifetime.own(vscode.window.onDidChangeActiveTextEditor(() => this.updateContext()));
  }

  /** Shows what came of an evaluation in the place of what it replaces. */
  show(evaluation: Evaluation): void {
    const number = this.results.keep(evaluation);
    const uri = evaluation.uri;
    const document = uri === undefined ? undefined : documentOf(uri);
    if (document === undefined || evaluation.range === undefined) return;
    if (document.uri.scheme === "vscode-notebook-cell") return; // Its outputs stand below it.
    const key = document.uri.toString();
    const range = evaluation.range;
    const isWhole = coversAll(document, range);
    const touched = new Set<string>([key]);
    for (const [other, items] of this.items) {
      const isOfThis = ({ origin, cause }: Item) =>
        origin === key && (isWhole || (cause && meets(cause, range)));
      const isHere = ({ watched }: Item) => other === key && (isWhole || meets(watched, range));
      const kept = items.filter((item) => !isOfThis(item) && !isHere(item));
      if (kept.length === items.length) continue;
      this.items.set(other, kept);
      touched.add(other);
    }
    for (const [target, item] of this.itemsOf(evaluation, document, range, isWhole, number)) {
      const isElsewhere = !isWhole && (target !== key || !meets(item.watched, range));
      const cause = isElsewhere ? range : undefined;
      this.items.set(target, [...(this.items.get(target) ?? []), { ...item, cause }]);
      touched.add(target);
    }
    for (const each of touched) this.render(each);
    this.flash(document, range);
  }

  /** Marks that an evaluation runs there, if it takes longer than a moment. */
  pending(document: vscode.TextDocument, range: vscode.Range): vscode.Disposable {
    const key = document.uri.toString();
    const item: Item = {
      kind: "pending",
      label: "… evaluating",
      watched: lineSpan(document, lastCodeLine(document, range)),
      origin: key,
      hover: "",
    };
    const timer = setTimeout(() => {
      this.items.set(key, [...(this.items.get(key) ?? []), item]);
      this.render(key);
    }, PENDING_DELAY_MS);
    return new vscode.Disposable(() => {
      clearTimeout(timer);
      const items = this.items.get(key);
      // An edit may have moved it: then it is another object of the same label.
      const kept = items?.filter((other) => other.kind !== "pending");
      if (items === undefined || kept === undefined || kept.length === items.length) return;
      this.items.set(key, kept);
      this.render(key);
    });
  }

  clear(key?: string): void {
    for (const each of key === undefined ? [...this.items.keys()] : [key]) {
      if (!this.items.delete(each)) continue;
      this.render(each);
    }
  }

  /** What came of evaluations in the session of a place; the other sessions are as they were. */
  clearOf(place: Place): void {
    for (const [key, items] of this.items) {
      const kept = items.filter(({ origin }) => !isOf(place, origin));
      if (kept.length === items.length) continue;
      this.items.set(key, kept);
      this.render(key);
    }
  }

  /** What is shown in a document, in reading order: for tests and screen readers. */
  labels(key: string): { line: number; kind: Kind; label: string; hover: string }[] {
    return (this.items.get(key) ?? [])
      .map(({ watched, kind, label, hover }) => ({ line: watched.end.line, kind, label, hover }))
      .sort((a, b) => a.line - b.line);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private decoration(kind: Kind): vscode.TextEditorDecorationType {
    return this.lifetime.own(
      vscode.window.createTextEditorDecorationType({
        rangeBehavior: vscode.DecorationRangeBehavior.ClosedOpen,
        after: {
          margin: "0 0 0 2ch",
          color: new vscode.ThemeColor(`luaPersist.${kind}Foreground`),
          ...(kind === "pending" ? { fontStyle: "italic" } : {}),
        },
        ...(kind === "result"
          ? {
              overviewRulerColor: new vscode.ThemeColor("luaPersist.resultForeground"),
              overviewRulerLane: vscode.OverviewRulerLane.Left,
            }
          : {}),
      }),
    );
  }

  private *itemsOf(
    evaluation: Evaluation,
    document: vscode.TextDocument,
    range: Span,
    isWhole: boolean,
    number: number,
  ): Generator<[string, Item]> {
    const key = document.uri.toString();
    const last = lastCodeLine(document, range);
    yield* this.outputItems(evaluation.output, document, last, isWhole ? undefined : range);
    if (evaluation.ok) {
      const watched = isWhole ? lineSpan(document, last) : trimmed(document, range);
      const hover = resultHover(evaluation, number);
      yield [key, { kind: "result", label: valueLabel(evaluation), watched, origin: key, hover }];
    }
    if (!setting("results.errors", true)) return;
    for (const problem of evaluation.problems) {
      if (problem.severity !== "error") continue;
      const target = problem.uri == null ? document : documentOf(problem.uri);
      const line = problem.line === null ? last : problem.line - 1;
      const label = `✗ ${oneLine(problem.message)}`;
      const item = { kind: "error" as const, origin: key, hover: problemHover(problem, number) };
      if (target !== undefined) {
        yield [target.uri.toString(), { ...item, label, watched: lineSpan(target, line) }];
      }
      if (target === document && range.start.line <= line && line <= range.end.line) continue;
      // It happened elsewhere, perhaps out of sight: who evaluates looks here.
      const there = `${label} (${placeText(problem)})`;
      const watched = isWhole ? lineSpan(document, last) : trimmed(document, range);
      yield [key, { ...item, label: there, watched }];
    }
  }

  private *outputItems(
    output: readonly OutputPiece[],
    document: vscode.TextDocument,
    last: number,
    range: Span | undefined,
  ): Generator<[string, Item]> {
    const origin = document.uri.toString();
    const lines = new Map<string, [vscode.TextDocument, number, string]>();
    for (const piece of output) {
      if (piece.stream === "warning") continue; // A diagnostic shows it.
      const target = piece.uri == null ? document : documentOf(piece.uri);
      if (target === undefined) continue;
      const line = piece.line === null ? last : piece.line - 1;
      const place = `${target.uri.toString()}#${line}`;
      lines.set(place, [target, line, (lines.get(place)?.[2] ?? "") + piece.text]);
      if (lines.size >= OUTPUT_ITEMS_MAX) break;
    }
    for (const [target, line, text] of lines.values()) {
      const inside =
        range !== undefined &&
        target === document &&
        range.start.line <= line &&
        line <= range.end.line;
      const own = lineSpan(target, line);
      // The item stands behind its line and ends with the code that was evaluated.
      const watched = inside && range ? { start: range.start, end: own.end } : own;
      const hover = fenced(text, "text");
      yield [
        target.uri.toString(),
        { kind: "output", label: `» ${oneLine(text)}`, watched, origin, hover },
      ];
    }
  }

  private edited(event: vscode.TextDocumentChangeEvent): void {
    const key = event.document.uri.toString();
    this.followCauses(key, event.contentChanges);
    let items = this.items.get(key);
    if (items === undefined || items.length === 0 || event.contentChanges.length === 0) return;
    for (const change of event.contentChanges) {
      items = items.flatMap((item) => {
        const watched = moved(item.watched, change);
        return watched === undefined ? [] : [{ ...item, watched }];
      });
    }
    this.items.set(key, items);
    this.render(key);
  }

  /** What stands elsewhere goes when the code that it came from is edited. */
  private followCauses(key: string, changes: readonly vscode.TextDocumentContentChangeEvent[]) {
    for (const [place, items] of this.items) {
      const kept = items.flatMap((item) => {
        if (item.origin !== key || item.cause === undefined) return [item];
        let cause: Span | undefined = item.cause;
        for (const change of changes) cause = cause && moved(cause, change);
        return cause === undefined ? [] : [{ ...item, cause }];
      });
      this.items.set(place, kept);
      if (kept.length < items.length) this.render(place);
    }
  }

  private render(key: string): void {
    const items = this.items.get(key) ?? [];
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.toString() !== key) continue;
      for (const kind of Object.keys(this.types) as Kind[]) {
        const options = items
          .filter((item) => item.kind === kind)
          .map((item) => optionsOf(item, editor.document));
        editor.setDecorations(this.types[kind], options);
      }
    }
    this.updateContext();
    this.refreshEmitter.fire();
  }

  private updateContext(): void {
    const key = vscode.window.activeTextEditor?.document.uri.toString();
    const items = key === undefined ? [] : (this.items.get(key) ?? []);
    void vscode.commands.executeCommand("setContext", HAS_RESULTS_CONTEXT, items.length > 0);
  }

  private flash(document: vscode.TextDocument, range: Span): void {
    if (!setting("results.flash", true)) return;
    const editors = vscode.window.visibleTextEditors.filter(
      (editor) => editor.document === document,
    );
    const span = trimmed(document, range);
    for (const editor of editors) editor.setDecorations(this.flashType, [toRange(span)]);
    this.flashEmitter.fire();
    setTimeout(() => {
      for (const editor of editors) editor.setDecorations(this.flashType, []);
    }, FLASH_MS);
  }
}

function optionsOf(item: Item, document: vscode.TextDocument): vscode.DecorationOptions {
  const line = Math.min(item.watched.end.line, document.lineCount - 1);
  const end = document.lineAt(line).range.end;
  const start = document.lineAt(line).firstNonWhitespaceCharacterIndex;
  const hover = new vscode.MarkdownString(item.hover);
  hover.isTrusted = { enabledCommands: LINK_COMMANDS };
  hover.supportThemeIcons = true;
  return {
    range: new vscode.Range(new vscode.Position(line, start), end),
    ...(item.hover === "" ? {} : { hoverMessage: hover }),
    // Runs of spaces would be shown as one.
    renderOptions: { after: { contentText: item.label.replaceAll(" ", "\u00a0") } },
  };
}

function resultHover(evaluation: Evaluation, number: number): string {
  const took = `${(evaluation.duration_s * 1000).toFixed(1)} ms`;
  const types = evaluation.values.map((value) => value.type).join(", ");
  const head = evaluation.values.length === 0 ? `no value · ${took}` : `${types} · ${took}`;
  const body = evaluation.values.length === 0 ? [] : [fenced(evaluation.text, "lua")];
  return [...body, `${head}\n\n${links(number, true)}`].join("\n\n");
}

function problemHover(problem: Problem, number: number): string {
  const frames = problem.traceback.map((frame) => {
    const place = placeText(frame);
    const shown =
      frame.uri == null || frame.line === null
        ? `\`${place}\``
        : `[${place}](${frame.uri}#L${frame.line})`;
    return `- ${shown} in ${frame.function.replaceAll(/([<>*_`[\]])/g, "\\$1")}`;
  });
  // The message itself is in the diagnostic's part of the same hover.
  const parts: string[] = [];
  if (frames.length > 0) parts.push(`Traceback:\n\n${frames.join("\n")}`);
  if (problem.value.type !== "string" && problem.value.type !== "nil") {
    parts.push(`Error value:\n\n${fenced(problem.value.text, "lua")}`);
  }
  return [...parts, links(number, problem.severity !== "error")].join("\n\n");
}

/** What can be done with a result. Of an error nothing is stored: an undo would be of what was before. */
function links(number: number, undoes: boolean): string {
  const argument = encodeURIComponent(JSON.stringify([number]));
  const undo = `[$(discard) Undo](command:${COMMANDS.undo} "Undo the last evaluation, its stored data included")`;
  return [
    `[$(copy) Copy](command:${COMMANDS.copyResult}?${argument} "Copy the whole text")`,
    `[$(go-to-file) Open](command:${COMMANDS.openResult}?${argument} "Open in an editor")`,
    ...(undoes ? [undo] : []),
  ].join("&nbsp;&nbsp;&nbsp;");
}

function documentOf(uri: string): vscode.TextDocument | undefined {
  const wanted = vscode.Uri.parse(uri).toString();
  return vscode.workspace.textDocuments.find((document) => document.uri.toString() === wanted);
}

function coversAll(document: vscode.TextDocument, range: Span): boolean {
  const last = document.lineCount - 1;
  return range.start.line === 0 && range.start.character === 0 && range.end.line >= last;
}

/** The last line of a range that has code on it, as far as that can be told from comment marks. */
function lastCodeLine(document: vscode.TextDocument, range: Span): number {
  let line = Math.min(range.end.line, document.lineCount - 1);
  if (range.end.character === 0 && line > range.start.line) line -= 1;
  const isCode = (at: number) => !/^\s*(--.*)?$/.test(document.lineAt(at).text);
  for (let at = line; at >= range.start.line; at -= 1) if (isCode(at)) return at;
  return line;
}

function lineSpan(document: vscode.TextDocument, line: number): Span {
  const { range, firstNonWhitespaceCharacterIndex } = document.lineAt(
    Math.max(0, Math.min(line, document.lineCount - 1)),
  );
  return {
    start: { line: range.start.line, character: firstNonWhitespaceCharacterIndex },
    end: range.end,
  };
}

/** A range without the blank lines at its end. */
function trimmed(document: vscode.TextDocument, range: Span): Span {
  const line = lastCodeLine(document, range);
  if (line === range.end.line) return range;
  return { start: range.start, end: document.lineAt(line).range.end };
}

function toRange(span: Span): vscode.Range {
  return new vscode.Range(span.start.line, span.start.character, span.end.line, span.end.character);
}
