// The server's own part of the protocol: its commands and its notifications. The one module that
// mirrors them; docs/commands.md is where the server describes them.

import type { Position as LspPosition, Range as LspRange } from "vscode-languageclient/node";

export const COMMAND_PREFIX = "lua-persist.";

export interface LuaValue {
  type: string;
  /** The value as Lua source would write it; a table on one line. */
  text: string;
  content?: string;
  base64?: string;
  length_bytes?: number;
  entries?: { key: LuaValue; value: LuaValue }[];
  omitted?: boolean;
  address?: string;
  detail?: string;
}

export interface OutputPiece {
  text: string;
  stream: "stdout" | "stderr" | "warning";
  chunk: string;
  line: number | null;
  uri?: string | null;
}

export interface Frame {
  chunk: string;
  line: number | null;
  function: string;
  uri?: string | null;
}

export interface Problem {
  kind: string;
  severity: "error" | "warning";
  message: string;
  chunk: string;
  line: number | null;
  uri?: string | null;
  traceback: Frame[];
  value: LuaValue;
}

export interface Evaluation {
  ok: boolean;
  values: LuaValue[];
  text: string;
  output: OutputPiece[];
  problems: Problem[];
  duration_s: number;
  uri?: string;
  range?: LspRange;
  id?: string;
}

export interface TableInfo {
  name: string;
  path: string;
  entries: number;
  id: number;
  indexes: number;
  has_schema: boolean;
}

export interface InspectEntry {
  key: LuaValue;
  value: LuaValue;
  path: string | null;
  expandable: boolean;
}

export interface Inspection {
  path: string;
  value: LuaValue;
  entries: InspectEntry[];
  total: number | null;
  next_offset: number | null;
  live?: boolean;
  /** Of the globals: so many, the last ones, every session has. */
  given?: number;
}

export interface Column {
  name: string;
  types: Record<string, number>;
}

export interface Row {
  key: LuaValue;
  path: string;
  /** One for each column; null where the row has no such field. */
  cells: (LuaValue | null)[];
}

export interface RowsQuery extends RowsShown {
  columns?: string[];
  order_by?: string;
  descending?: boolean;
  offset?: number;
  limit?: number;
}

/** A stored value with its text in full; `complete`: that is Lua source of it. */
export interface WholeValue {
  path: string;
  value: LuaValue;
  text: string;
  complete: boolean;
}

export interface RowsPage {
  table: string;
  columns: Column[];
  columns_left_out: number;
  rows: Row[];
  total: number;
  filtered: number;
  /** Whether the keys of all rows of the table are 1, 2, 3 and so on. */
  is_list: boolean;
  offset: number;
  explain: { index: string | null; examined: number | null };
  /** The session's file cannot be written. */
  read_only: boolean;
}

export interface Profile {
  count: number;
  missing: number;
  distinct: number | null;
  min: LuaValue | null;
  max: LuaValue | null;
  avg: LuaValue | null;
  types: Record<string, number>;
  top: { value: LuaValue; count: number }[];
  histogram: { from: number; to: number; count: number }[];
}

export interface Plan {
  index: string | null;
  rows_examined: number | null;
  rows_returned: number | null;
  sql: string;
  suggestion?: Pick<NewIndex, "fields" | "kind" | "each"> | null;
}

export interface ExplainQuery extends RowsShown {
  /** How a grid finds the rows is told, not how a query finds a page of them. */
  grid?: boolean;
  order_by?: string;
  descending?: boolean;
}

/** What an index is good for, in the server's words. */
export type IndexSort = "btree" | "hash" | "text";

export interface NewIndex {
  table: string;
  fields: string[];
  kind?: IndexSort;
  unique?: boolean;
  each?: boolean;
}

export interface DroppedIndex {
  table: string;
  fields: string[];
  /** Otherwise all that are by these fields. */
  kind?: IndexSort;
}

export interface IndexInfo {
  name: string;
  table: string;
  fields: string[];
  kind?: IndexSort;
  unique?: boolean;
  each?: boolean;
}

export type Drift = "in_sync" | "edited" | "source_gone" | "unknown";

export interface FunctionInfo {
  path: string;
  name: string;
  signature: string;
  chunk: string;
  uri: string | null;
  line: number | null;
  last_line: number | null;
  size_bytes: number;
  drift: Drift;
  /** Why it cannot be called; empty: it can. */
  problem: string;
}

export interface HistoryEntry {
  number: number;
  /** Whether undo comes to it. */
  own: boolean;
  made_utc: string;
  name: string;
  source: string;
  entries_set: number;
  entries_deleted: number;
  functions_made: number;
  upvalues_set: number;
  /** The first of the places that it changed. */
  keys: string[];
  undone: boolean;
}

export interface Difference {
  place: string;
  before: LuaValue;
  after: LuaValue;
}

export interface Completion {
  label: string;
  /** What stands in the place of what is typed, from `start` to `end`. */
  insert: string;
  kind: string;
  detail: string;
}

export interface Completions {
  /** Best first. */
  items: Completion[];
  start: number;
  end: number;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue | undefined };

interface Folder {
  /** Which session: that of the folder of this document. */
  uri?: string | undefined;
}

interface Changed {
  previous: LuaValue | null;
  path: string;
}

export interface SetManyQuery {
  changes: { path: string; value: string }[];
  /** Of the new rows. */
  table?: string;
  /** Without keys they follow the list in the table. */
  rows?: NewRow[];
}

export interface NewRow {
  key?: string;
  value: string;
}

export interface SetManyResult {
  changed: number;
  /** The paths of the new rows, where texts lead to them. */
  added: (string | null)[];
  /** Why nothing was changed; both numbers are null where it was no single change or row. */
  failed: {
    index: number | null;
    row: number | null;
    path: string | null;
    message: string;
  } | null;
}

/** Which rows of a table are meant: those that a grid shows. */
export interface RowsShown {
  table: string;
  where?: JsonValue;
  filter?: string;
}

export interface PointsQuery extends RowsShown {
  x: string;
  y: string;
  limit?: number;
}

export interface Points {
  /** Ascending; perhaps only some of them. */
  points: [number, number][];
  rows: number;
  /** Rows that have both numbers. */
  pairs: number;
}

export interface AggregateQuery extends RowsShown {
  group_by?: string;
  count?: boolean;
  sum?: string;
  min?: string;
  max?: string;
  avg?: string;
  /** Only so many groups, the greatest first. */
  limit?: number;
}

export interface Groups {
  groups: {
    group: Record<string, LuaValue>;
    count?: number;
    sum?: LuaValue;
    min?: LuaValue;
    max?: LuaValue;
    avg?: LuaValue;
  }[];
  total: number;
}

/** How a file of rows is read. */
export interface ImportChoices {
  path: string;
  /** The column that is the row's key. */
  key?: string;
  /** Whether columns of CSV become numbers and booleans. */
  infer?: boolean;
  /** Columns that stay text all the same. */
  text?: string[];
  /** Columns that are left out. */
  skip?: string[];
  /** Whether rows may take the place of others. */
  replace?: boolean;
}

export interface ImportPreview {
  path: string;
  format: "csv" | "json" | "jsonl";
  bytes: number;
  columns: {
    name: string;
    /** As they would be stored. */
    types: Record<string, number>;
    /** What all values of a column of CSV have in common. */
    inferred: string | null;
    missing: number;
  }[];
  rows: { line: number | null; key: LuaValue | null; cells: (LuaValue | null)[] }[];
  rows_checked: number;
  /** Whether all of the file was checked. */
  complete: boolean;
  problems: FileProblem[];
  problem_count: number;
}

/** What would make an import fail, and where. */
export interface FileProblem {
  message: string;
  line: number | null;
  column: number | null;
}

/** Name, parameters and result of each command that the extension uses. */
export interface ServerCommands {
  evaluateFile: [{ uri: string }, Evaluation];
  evaluateSelection: [{ uri: string; range: LspRange }, Evaluation];
  evaluateForm: [{ uri: string; position: LspPosition }, Evaluation];
  evaluateLine: [{ uri: string; position: LspPosition }, Evaluation];
  evaluateToCursor: [{ uri: string; position: LspPosition }, Evaluation];
  evaluateToComment: [
    { uri: string; range?: LspRange; position?: LspPosition },
    Evaluation | JsonValue,
  ];
  evaluateExamples: [{ uri: string; position?: LspPosition }, JsonValue];
  evaluateText: [Folder & { text: string; name?: string }, Evaluation];
  interrupt: [{ uri?: string }, { interrupted: boolean }];
  restart: [Folder, { restarted: boolean }];
  reset: [Folder, JsonValue];
  clearResults: [{ uri?: string }, { cleared: boolean }];
  copyLastResult: [Record<string, never>, { text: string }];
  status: [Folder, SessionStatus];
  completeText: [Folder & { text: string; offset: number }, Completions];
  tables: [Folder, { tables: TableInfo[] }];
  whole: [Folder & { path: string }, WholeValue];
  inspect: [Folder & { path: string; offset?: number; limit?: number; depth?: number }, Inspection];
  rows: [Folder & RowsQuery, RowsPage];
  profile: [Folder & RowsShown & { column: string }, Profile];
  points: [Folder & PointsQuery, Points];
  aggregate: [Folder & AggregateQuery, Groups];
  set: [Folder & { path: string; value: string }, Changed];
  setMany: [Folder & SetManyQuery, SetManyResult];
  delete: [Folder & { path: string }, Changed];
  addRow: [Folder & { table: string; key?: string; value: string }, Changed];
  queryText: [Folder & { text: string; limit?: number }, JsonValue];
  explain: [Folder & ExplainQuery, Plan];
  indexes: [Folder & { table?: string }, { indexes: IndexInfo[] }];
  createIndex: [Folder & NewIndex, JsonValue];
  dropTable: [Folder & { table: string }, JsonValue];
  dropIndex: [Folder & DroppedIndex, JsonValue];
  schema: [Folder & { table: string }, { definition: JsonValue; annotations: string | null }];
  deriveSchema: [Folder & { table: string }, { definition: JsonValue; annotations: string }];
  functions: [
    Folder & { offset?: number; limit?: number },
    { functions: FunctionInfo[]; total: number },
  ];
  function: [Folder & { path: string }, FunctionInfo & { text: string }];
  callFunction: [Folder & { path: string; arguments: string[] }, Evaluation];
  updateFunction: [Folder & { path: string; uri: string }, JsonValue];
  deleteFunction: [Folder & { path: string }, JsonValue];
  recompile: [Folder & { path: string }, JsonValue];
  previewImport: [Folder & ImportChoices & { limit?: number }, ImportPreview];
  import: [Folder & ImportChoices & { table: string }, Evaluation];
  export: [
    Folder & RowsShown & { path?: string; format?: string },
    { rows: number; left_out_count: number; text?: string },
  ];
  history: [
    Folder & { limit?: number; offset?: number },
    { evaluations: HistoryEntry[]; next_offset: number | null },
  ];
  undo: [Folder & { count?: number }, { text?: string }];
  redo: [Folder & { count?: number }, { text?: string }];
  diff: [Folder & { before: number; after?: number }, { differences: Difference[] }];
  backup: [Folder & { path: string }, JsonValue];
  content: [{ uri: string }, { text: string; language?: string }];
}

export type ServerCommand = keyof ServerCommands;
export type ParamsOf<K extends ServerCommand> = ServerCommands[K][0];
export type ResultOf<K extends ServerCommand> = ServerCommands[K][1];

export type SessionState = "starting" | "idle" | "evaluating" | "untrusted" | "closed" | "failed";

export interface SessionStatus {
  folder?: string | null;
  state: SessionState;
  name?: string | null;
  since?: number | null;
  started?: string | null;
  message?: string | null;
}

export interface OutputNotice {
  /** That of the evaluation; all of its output comes before it is reported as done. */
  id?: string;
  pieces: OutputPiece[];
}

export interface ChangedNotice {
  folder?: string | null;
  /** Names of the tables that changed; null: any. */
  tables: string[] | null;
  functions: boolean;
  history: boolean;
  globals: boolean;
}

export const NOTIFICATIONS = {
  evaluation: "luaPersist/evaluation",
  output: "luaPersist/output",
  status: "luaPersist/status",
  changed: "luaPersist/changed",
  /** From the client: the workspace was trusted. */
  trusted: "luaPersist/trusted",
} as const;
