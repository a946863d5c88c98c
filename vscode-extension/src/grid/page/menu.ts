// A small menu at an element: arrow keys, Enter, Escape.

import { byId, h } from "../../webview/dom";

export interface Choice {
  text: string;
  /** The key that does the same. */
  key?: string;
  run(): void;
}

export function openMenu(anchor: HTMLElement, choices: readonly Choice[]): void {
  const before = document.activeElement as HTMLElement | null;
  const menu = h("div", { class: "menu", role: "menu" });
  const close = () => {
    menu.remove();
    window.removeEventListener("mousedown", outside, true);
    before?.focus();
  };
  const outside = (event: MouseEvent) => {
    if (!menu.contains(event.target as Node)) close();
  };
  const items = choices.map((choice) => {
    const item = h("button", { role: "menuitem", tabindex: -1 }, choice.text);
    if (choice.key !== undefined) item.append(h("kbd", {}, choice.key));
    item.addEventListener("click", () => {
      close();
      choice.run();
    });
    return item;
  });
  menu.append(...items);
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) items[(at + step + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const place = anchor.getBoundingClientRect();
  byId("app").append(menu);
  const left = Math.min(place.left, window.innerWidth - menu.offsetWidth - 4);
  const below = place.bottom + menu.offsetHeight < window.innerHeight;
  menu.style.left = `${Math.max(left, 4)}px`;
  menu.style.top = `${below ? place.bottom : Math.max(place.top - menu.offsetHeight, 4)}px`;
  window.addEventListener("mousedown", outside, true);
  items[0]?.focus();
}
