// What the page of the table editor and the extension say to each other. Shared by both.

import type {
  AggregateQuery,
  DroppedIndex,
  ExplainQuery,
  Groups,
  IndexInfo,
  NewIndex,
  Plan,
  Points,
  PointsQuery,
  Profile,
  RowsPage,
  RowsQuery,
  RowsShown,
  SetManyQuery,
  SetManyResult,
  WholeValue,
} from "../protocol";

/** Requests of the page: name, parameters, answer. */
export interface PageRequests {
  rows: [RowsQuery, RowsShownPage];
  profile: [RowsShown & { column: string }, Profile];
  points: [PointsQuery, Points];
  aggregate: [AggregateQuery, Groups];
  indexes: [{ table: string }, { indexes: IndexInfo[] }];
  dropIndex: [DroppedIndex, null];
  explain: [ExplainQuery, Plan];
  set: [{ path: string; value: string }, { undo: boolean }];
  change: [SetManyQuery, SetManyResult];
  addRow: [{ table: string; key?: string; value: string }, { path: string }];
  createIndex: [NewIndex, null];
  undo: [Record<string, never>, { text: string }];
  copy: [{ text: string }, null];
  paste: [Record<string, never>, { text: string }];
  whole: [{ path: string }, WholeValue];
  export: [RowsShown, Exported];
  title: [{ table: string }, null];
  /** Shows a text in an editor of its own. */
  show: [{ name: string; text: string }, null];
  /** Shows the source of a function. */
  source: [{ path: string }, null];
}

/** A page of rows, and whether they may be changed: the workspace is trusted, the file can be written. */
export interface RowsShownPage extends RowsPage {
  changeable: boolean;
}

/** What came of an export; path null: nobody chose a file. */
export interface Exported {
  path: string | null;
  rows: number;
  left_out_count: number;
}

/** What is told of an export, with what the format could not hold. */
export function exportText({ path, rows, left_out_count: left }: Exported): string {
  const count = `${rows.toLocaleString("en-US")} ${rows === 1 ? "row is" : "rows are"}`;
  const rest =
    left === 0
      ? ""
      : ` ${left.toLocaleString("en-US")} ${left === 1 ? "value is" : "values are"} left out: functions, nested tables and the like do not fit into the format.`;
  return `${count} exported to ${path}.${rest}`;
}

/** What the page is about, and what it shows of it; kept by the editor over a reload. */
export interface PageState {
  table: string;
  uri?: string;
  view?: View;
  /** The views that one came through, the first one first. */
  trail?: View[];
}

export interface View {
  table: string;
  conditions: Condition[];
  filter: string;
  orderBy?: string | undefined;
  descending: boolean;
}

export interface Condition {
  field: string;
  operator: string;
  /** As it was typed. */
  value: string;
}
