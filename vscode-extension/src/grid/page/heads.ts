// The cells above the columns: name and types, a click that sorts, a menu, a grip to make it wider.

import { h } from "../../webview/dom";

export interface Header {
  /** By which it is known, in whichever table. */
  id: string;
  text: string;
  /** Of its values, the most frequent first. */
  types: string[];
  sort: "ascending" | "descending" | "none";
}

export interface HeadEvents {
  sort(column: number): void;
  menu(column: number, anchor: HTMLElement): void;
  resize(event: MouseEvent, column: number): void;
}

export function headCell(
  header: Header,
  at: number,
  width: number,
  events: HeadEvents,
): HTMLElement {
  const mark = { ascending: " ▲", descending: " ▼", none: "" }[header.sort];
  const types = header.types.join(", ");
  const hint = types === "" ? "Click to sort." : `${types}. Click to sort.`;
  const title = h("button", { class: "sort", tabindex: -1, title: hint });
  title.append(header.text, mark);
  if (types !== "") title.append(h("span", { class: "types-of quiet" }, typesText(header)));
  title.addEventListener("click", () => events.sort(at));
  const more = h("button", {
    class: "more",
    tabindex: -1,
    "aria-label": `Column ${header.text}: more`,
    title: "More",
  });
  more.append("⋮");
  more.addEventListener("click", () => events.menu(at, more));
  const grip = h("span", { class: "grip", "aria-hidden": true });
  grip.addEventListener("mousedown", (event) => events.resize(event, at));
  const cell = h(
    "div",
    {
      class: at === 0 ? "cell key" : "cell",
      role: "columnheader",
      "aria-colindex": at + 1,
      "aria-sort": header.sort,
    },
    title,
    more,
    grip,
  );
  cell.style.width = `${width}px`;
  return cell;
}

/** What stands beside the name. */
export function typesText({ types }: Header): string {
  return types.length > 1 ? "mixed" : (types[0] ?? "");
}
