// All stories by name: what a person does and sees. Every story leaves screenshots.

import { cells, edit, pasting } from "./cells";
import { charts } from "./charts";
import type { Editor } from "./editor";
import { errors, evaluate, interrupting, notebook, repl } from "./evaluating";
import { examples } from "./examples";
import { importing } from "./importing";
import { afterwards, keys, newcomer, walkthrough } from "./newcomer";
import { newRow } from "./newRow";
import { oddities } from "./oddities";
import { restored } from "./restoring";
import { setup } from "./setup";
import { grid, million, query, tables, themes } from "./tables";
import { trust } from "./trust";

type Scenario = (editor: Editor, measured: Record<string, number>) => Promise<void>;

export const scenarios: Record<string, Scenario> = {
  evaluate,
  errors,
  interrupting,
  tables,
  grid,
  query,
  edit,
  cells,
  pasting,
  newRow,
  importing,
  restored,
  charts,
  million,
  repl,
  notebook,
  themes,
  walkthrough,
  keys,
  newcomer,
  afterwards,
  setup,
  trust,
  oddities,
  examples,
};
