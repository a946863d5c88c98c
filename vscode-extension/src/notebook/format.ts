// Notebooks as text: a Lua file whose cells begin with `--%%`. Such a file diffs line by line, runs as
// plain Lua, and can be edited anywhere. Outputs are not kept in it: the session has the state.

export interface TextCell {
  kind: "lua" | "markdown";
  text: string;
}

const MARK = /^--%%(?:\s+(lua|markdown)\b)?.*$/;

/** The cells of a file. What stands before the first mark is a cell as well. */
export function parseNotebook(content: string): TextCell[] {
  const cells: TextCell[] = [];
  let kind: TextCell["kind"] = "lua";
  let lines: string[] | undefined;
  const finish = () => {
    if (lines === undefined) return;
    if (lines.at(-1) === "") lines.pop(); // The blank line before the next mark.
    const text = kind === "markdown" ? lines.map(uncommented).join("\n") : lines.join("\n");
    cells.push({ kind, text });
  };
  for (const line of content.replace(/\r?\n$/, "").split(/\r?\n/)) {
    const mark = MARK.exec(line);
    if (mark === null) {
      if (lines === undefined && line === "" && cells.length === 0) continue;
      lines ??= [];
      lines.push(line);
      continue;
    }
    finish();
    kind = mark[1] === "markdown" ? "markdown" : "lua";
    lines = [];
  }
  // The end of the file has no blank line of its own.
  if (lines !== undefined) lines.push("");
  finish();
  return cells;
}

export function notebookText(cells: readonly TextCell[]): string {
  const parts = cells.map(({ kind, text }) => {
    const lines = text.split(/\r?\n/);
    const body = kind === "markdown" ? lines.map(commented) : lines.map(harmless);
    return `--%% ${kind}\n${body.join("\n")}\n`;
  });
  return parts.join("\n");
}

function commented(line: string): string {
  return line === "" ? "--" : `-- ${line}`;
}

function uncommented(line: string): string {
  return line.replace(/^-- ?/, "");
}

/** A comment in a cell that looks like a mark is moved by a space, so that it is none. */
function harmless(line: string): string {
  return MARK.test(line) ? ` ${line}` : line;
}
