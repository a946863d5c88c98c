// What the page of the table editor and the extension say to each other. Shared by both.

import type {
  AggregateQuery,
  Groups,
  IndexInfo,
  JsonValue,
  Plan,
  Points,
  PointsQuery,
  Profile,
  RowsPage,
  RowsQuery,
  SetManyResult,
} from "../protocol";

/** Requests of the page: name, parameters, answer. */
export interface PageRequests {
  rows: [RowsQuery, RowsPage];
  profile: [{ table: string; column: string; where?: JsonValue }, Profile];
  points: [PointsQuery, Points];
  aggregate: [AggregateQuery, Groups];
  indexes: [{ table: string }, { indexes: IndexInfo[] }];
  dropIndex: [{ table: string; fields: string[] }, null];
  explain: [{ table: string; where?: JsonValue; order_by?: string }, Plan];
  set: [{ path: string; value: string }, { undo: boolean }];
  change: [{ changes: { path: string; value: string }[] }, SetManyResult];
  addRow: [{ table: string; key?: string; value: string }, { path: string }];
  createIndex: [{ table: string; fields: string[] }, null];
  undo: [Record<string, never>, { text: string }];
  copy: [{ text: string }, null];
  paste: [Record<string, never>, { text: string }];
  export: [{ table: string; where?: JsonValue }, { path: string | null }];
  title: [{ table: string }, null];
  show: [{ text: string; language: string }, null];
}

/** What the page is about; kept by the editor over a reload. */
export interface PageState {
  table: string;
  uri?: string;
}
