// Places in what the prompt shows: `shapes.lua:12` leads there.

import * as path from "node:path";
import * as vscode from "vscode";
import type { Place } from "../folder";

interface Location extends vscode.TerminalLink, Found {
  place: Place;
}

export interface Found {
  startIndex: number;
  length: number;
  file: string;
  lineNumber: number;
}

/** Places of files in a line, `shapes.lua:12`; a name may have spaces where a line has nothing else. */
export function locationsIn(line: string): Found[] {
  const traced = /^\s+(\S.*\.lua):(\d+): in /u.exec(line);
  const found =
    traced === null ? [...line.matchAll(/([^\s:"'()<>[\]{}]+\.lua):(\d+)/gu)] : [traced];
  return found.map((one) => ({
    startIndex: one.index + one[0].indexOf(one[1] ?? ""),
    length: `${one[1]}:${one[2]}`.length,
    file: one[1] ?? "",
    lineNumber: Number(one[2]),
  }));
}

/** Of our terminals, whose folder `placeOf` knows. */
export class Locations implements vscode.TerminalLinkProvider<Location> {
  constructor(private readonly placeOf: (terminal: vscode.Terminal) => Place | undefined) {}

  provideTerminalLinks(context: vscode.TerminalLinkContext): Location[] {
    const place = this.placeOf(context.terminal);
    if (place === undefined) return [];
    return locationsIn(context.line).map((found) => ({
      ...found,
      tooltip: "Go to the source",
      place,
    }));
  }

  async handleTerminalLink({ file, lineNumber, place }: Location): Promise<void> {
    const folder = place.uri === undefined ? "" : vscode.Uri.parse(place.uri).fsPath;
    const at = new vscode.Position(Math.max(lineNumber - 1, 0), 0);
    const uri = vscode.Uri.file(path.resolve(folder, file));
    await vscode.window.showTextDocument(uri, { selection: new vscode.Range(at, at) });
  }
}
