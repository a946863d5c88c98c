// Makes an index of a table: asks what it is to be good for, and by which fields. What is at the top
// of both lists is what most people want, so that two times Enter is enough.

import * as vscode from "vscode";
import type { Place } from "../folder";
import { Lifetime } from "../lifetime";
import type { IndexInfo } from "../protocol";
import type { LuaServer } from "../server/luaServer";
import {
  type Field,
  type FieldLine,
  fieldsOf,
  fitting,
  type IndexKind,
  KINDS,
  linesFor,
  UNIQUE_KINDS,
} from "./indexFields";

/** So many rows are looked at for fields, so deep. */
const ROWS_LOOKED_AT = 20;
const DEPTH = 3;
const BACK = "back";
const ANOTHER: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("add"),
  tooltip: "By it and another field",
};

interface Known {
  fields: Field[];
  indexes: IndexInfo[];
}

interface KindItem extends vscode.QuickPickItem {
  index?: IndexKind;
}

interface LineItem extends vscode.QuickPickItem {
  line: FieldLine;
}

/** Asks for an index and makes it. Undefined where nobody wanted one after all. */
export async function createIndex(
  server: LuaServer,
  folder: Place,
  table: string,
): Promise<string | undefined> {
  // They come while the kind is chosen.
  const known = lookAt(server, folder, table);
  known.catch(() => undefined);
  for (;;) {
    const kind = await askKind(table);
    if (kind === undefined) return undefined;
    const fields = await askFields(table, kind, known);
    if (fields === BACK) continue;
    if (fields === undefined) return undefined;
    await server.call("createIndex", { ...folder, table, fields, ...kind.options });
    return fields.join(", ");
  }
}

async function lookAt(server: LuaServer, folder: Place, table: string): Promise<Known> {
  const [{ entries }, { definition }, { indexes }] = await Promise.all([
    server.call("inspect", { ...folder, path: table, limit: ROWS_LOOKED_AT, depth: DEPTH }),
    server.call("schema", { ...folder, table }),
    server.call("indexes", { ...folder, table }),
  ]);
  return { fields: fieldsOf(entries, definition), indexes };
}

async function askKind(table: string): Promise<IndexKind | undefined> {
  const item = (index: IndexKind): KindItem => ({
    label: index.label,
    detail: index.detail,
    index,
  });
  const lifetime = new Lifetime();
  const pick = lifetime.own(vscode.window.createQuickPick<KindItem>());
  pick.title = `Index of ${table}`;
  pick.placeholder = "What is it to be good for?";
  pick.step = 1;
  pick.totalSteps = 2;
  pick.matchOnDetail = true;
  pick.items = [
    ...KINDS.map(item),
    { label: "no two rows with the same", kind: vscode.QuickPickItemKind.Separator },
    ...UNIQUE_KINDS.map(item),
  ];
  const chosen = await answerOf(lifetime, pick);
  return chosen === BACK ? undefined : chosen?.index;
}

async function askFields(
  table: string,
  kind: IndexKind,
  known: Promise<Known>,
): Promise<string[] | typeof BACK | undefined> {
  const lifetime = new Lifetime();
  const pick = lifetime.own(vscode.window.createQuickPick<LineItem>());
  // Each element is an entry of its own: of two fields there would be all pairs.
  const several = kind.options.each !== true;
  pick.title = `${kind.label} index of ${table}`;
  pick.placeholder = several
    ? "By which field? Several have commas between them: city, age"
    : "By which field, a list?";
  pick.step = 2;
  pick.totalSteps = 2;
  pick.buttons = [vscode.QuickInputButtons.Back];
  pick.busy = true;
  let there: Known = { fields: [], indexes: [] };
  const draw = () => {
    pick.items = itemsFor(pick.value, kind, there, several);
  };
  lifetime.own(pick.onDidChangeValue(draw));
  lifetime.own(
    pick.onDidTriggerItemButton(({ item }) => {
      pick.value = `${item.line.fields.join(", ")}, `;
      draw();
    }),
  );
  const answer = answerOf(lifetime, pick);
  try {
    there = await known;
    pick.busy = false;
    draw();
  } catch (error) {
    pick.hide();
    throw error;
  }
  const chosen = await answer;
  return chosen === BACK ? BACK : chosen?.line.fields;
}

/** What is there already comes last: nobody makes it a second time. */
function itemsFor(text: string, kind: IndexKind, known: Known, several: boolean): LineItem[] {
  const lines = linesFor(text, fitting(known.fields, kind), several);
  const items = lines.map((line): LineItem & { isThere: boolean } => {
    const isThere = known.indexes.some((index) => isSame(index, kind, line.fields));
    const names = line.fields.join(", ");
    const types = known.fields.find((each) => each.text === line.fields.at(-1))?.types ?? [];
    return {
      // The list puts first what is most like the typed text, but a field that is known is meant.
      label: line.typed ? "$(edit)" : names,
      description: line.typed
        ? `${names} (as typed)`
        : isThere
          ? "there is one"
          : [...types].join(", "),
      line,
      isThere,
      // What fits is decided here, and the last of several fields is what is looked for.
      alwaysShow: true,
      buttons: several ? [ANOTHER] : [],
    };
  });
  return [...items.filter(({ isThere }) => !isThere), ...items.filter(({ isThere }) => isThere)];
}

function isSame(index: IndexInfo, { options }: IndexKind, fields: readonly string[]): boolean {
  // Of one kind there is one by the same fields.
  return (
    index.fields.join() === fields.join() && (index.kind ?? "btree") === (options.kind ?? "btree")
  );
}

/** Shows a list until something is chosen, its button to go back is pressed, or it is left. */
async function answerOf<T extends vscode.QuickPickItem>(
  lifetime: Lifetime,
  pick: vscode.QuickPick<T>,
): Promise<T | typeof BACK | undefined> {
  try {
    return await new Promise<T | typeof BACK | undefined>((resolve) => {
      lifetime.own(
        pick.onDidAccept(() => {
          const [item] = pick.activeItems;
          if (item !== undefined) resolve(item);
        }),
      );
      lifetime.own(pick.onDidTriggerButton(() => resolve(BACK)));
      lifetime.own(pick.onDidHide(() => resolve(undefined)));
      pick.show();
    });
  } finally {
    lifetime.dispose();
  }
}
