// How ranges of a document follow its edits. Knows no VS Code, so that it can be tried by itself.

export interface Place {
  line: number;
  character: number;
}

export interface Span {
  start: Place;
  end: Place;
}

export interface Edit {
  range: Span;
  text: string;
}

export function before(a: Place, b: Place): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}

export function meets(a: Span, b: Span): boolean {
  return !before(a.end, b.start) && !before(b.end, a.start);
}

/** Where a span is after an edit; undefined if the edit has changed what stands in it. */
export function moved(span: Span, edit: Edit): Span | undefined {
  const { start, end } = edit.range;
  const touchesEnd = !before(span.end, start) && !before(start, span.end);
  if (before(span.end, start) || (touchesEnd && startsApart(edit.text))) return span;
  const touchesStart = !before(end, span.start) && !before(span.start, end);
  if (before(end, span.start) || (touchesStart && endsApart(edit.text))) {
    return { start: shifted(span.start, edit), end: shifted(span.end, edit) };
  }
  return undefined;
}

/** Text that is put right behind something without becoming part of it. */
function startsApart(text: string): boolean {
  return text === "" || /^\s/.test(text);
}

function endsApart(text: string): boolean {
  return text === "" || /\s$/.test(text);
}

function shifted(place: Place, edit: Edit): Place {
  const lines = edit.text.split("\n");
  const line = place.line + lines.length - 1 - (edit.range.end.line - edit.range.start.line);
  if (place.line !== edit.range.end.line) return { line, character: place.character };
  const last = lines.at(-1) ?? "";
  const from = lines.length === 1 ? edit.range.start.character + last.length : last.length;
  return { line, character: from + place.character - edit.range.end.character };
}
