// What the page of an import and the extension say to each other. Shared by both.

import type { FileProblem, ImportChoices, ImportPreview } from "../protocol";

export type Choices = Omit<ImportChoices, "path">;

export interface ImportRequests {
  preview: [Choices, ImportPreview];
  run: [{ table: string; choices: Choices }, ImportOutcome];
  cancel: [Record<string, never>, null];
  undo: [Record<string, never>, { text: string }];
  openTable: [{ table: string }, null];
  openFile: [{ line: number | null; column: number | null }, null];
}

/** How many rows are stored, or why none is. */
export type ImportOutcome = { rows: string } | { problem: FileProblem };

/** How far a running import has come. */
export interface ImportNews {
  message: string;
  percentage: number | null;
}

/** What the page is about, and what was chosen there; kept by the editor over a reload. */
export interface ImportState {
  path: string;
  table: string;
  /** Of the folder whose session gets the rows. */
  uri?: string;
  choices?: Choices;
  /** What was told of the import, when it was done. */
  done?: string | undefined;
}
