// What the page of the table editor and the extension say to each other. Shared by both.

import type {
  AggregateQuery,
  ExplainQuery,
  Groups,
  IndexInfo,
  Plan,
  Points,
  PointsQuery,
  Profile,
  RowsPage,
  RowsQuery,
  RowsShown,
  SetManyQuery,
  SetManyResult,
} from "../protocol";

/** Requests of the page: name, parameters, answer. */
export interface PageRequests {
  rows: [RowsQuery, RowsPage];
  profile: [RowsShown & { column: string }, Profile];
  points: [PointsQuery, Points];
  aggregate: [AggregateQuery, Groups];
  indexes: [{ table: string }, { indexes: IndexInfo[] }];
  dropIndex: [{ table: string; fields: string[] }, null];
  explain: [ExplainQuery, Plan];
  set: [{ path: string; value: string }, { undo: boolean }];
  change: [SetManyQuery, SetManyResult];
  addRow: [{ table: string; key?: string; value: string }, { path: string }];
  createIndex: [{ table: string; fields: string[] }, null];
  undo: [Record<string, never>, { text: string }];
  copy: [{ text: string }, null];
  paste: [Record<string, never>, { text: string }];
  export: [RowsShown, { path: string | null; rows: number }];
  title: [{ table: string }, null];
  show: [{ text: string; language: string }, null];
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
