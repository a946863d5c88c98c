// What evaluations have given, kept for a while so that links in hovers can copy and open it.

import type { Evaluation, Problem } from "../protocol";

const KEPT_MAX = 200;
const LABEL_CHARACTERS_MAX = 120;
const HOVER_CHARACTERS_MAX = 8_000;

export interface KeptResult {
  number: number;
  evaluation: Evaluation;
}

/** The last results, by number. */
export class Results {
  private readonly kept = new Map<number, Evaluation>();
  private count = 0;

  keep(evaluation: Evaluation): number {
    this.count += 1;
    this.kept.set(this.count, evaluation);
    this.kept.delete(this.count - KEPT_MAX);
    return this.count;
  }

  /** The result of that number, or the last one. */
  get(number: number | undefined): KeptResult | undefined {
    const wanted = number ?? this.count;
    const evaluation = this.kept.get(wanted);
    return evaluation === undefined ? undefined : { number: wanted, evaluation };
  }
}

/** Everything an evaluation has given, as text: its values, or what went wrong. */
export function wholeText(evaluation: Evaluation): string {
  if (!evaluation.ok) return evaluation.problems.map(problemText).join("\n\n");
  return evaluation.text;
}

export function problemText(problem: Problem): string {
  const frames = problem.traceback.map((frame) => `\t${placeText(frame)}: in ${frame.function}`);
  const trace = frames.length === 0 ? [] : ["stack traceback:", ...frames];
  return [`${placeText(problem)}: ${problem.message}`, ...trace].join("\n");
}

/** A place as Lua writes it; what is compiled in has no line. */
export function placeText({ chunk, line }: { chunk: string; line: number | null }): string {
  return line === null ? chunk : `${chunk}:${line}`;
}

/** The values on one line. */
export function valueLabel(evaluation: Evaluation): string {
  if (evaluation.values.length === 0) return "✓";
  return `=> ${oneLine(evaluation.values.map((value) => value.text).join(", "))}`;
}

export function oneLine(text: string): string {
  const line = text
    .trimEnd()
    .replaceAll(/\s*\r?\n\s*/g, " ⏎ ")
    .replaceAll("\t", " ");
  return line.length <= LABEL_CHARACTERS_MAX ? line : `${line.slice(0, LABEL_CHARACTERS_MAX - 1)}…`;
}

/** A text as a block of code in Markdown, bounded in length. */
export function fenced(text: string, language: string): string {
  const shown =
    text.length <= HOVER_CHARACTERS_MAX ? text : `${text.slice(0, HOVER_CHARACTERS_MAX)}\n…`;
  let fence = "```";
  while (shown.includes(fence)) fence += "`";
  return `${fence}${language}\n${shown.trimEnd()}\n${fence}`;
}
