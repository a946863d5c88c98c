// The field in which a value is typed: over a cell, or for a new row. A refusal stays beside it.

import { byId, h } from "../../webview/dom";
import { reasonOf } from "./status";

export interface EditOptions {
  label: string;
  value: string;
  /** Below the field, as long as nothing is refused. */
  hint?: string;
  /** Resolves when the value is stored; a rejection is shown, and one can go on typing. */
  save(text: string): Promise<void>;
  /** The same at Ctrl+Enter, for all that is selected. */
  saveAll?(text: string): Promise<void>;
  /** What becomes of a pasted text that is no value; undefined: it is one. */
  takes?(text: string): (() => Promise<void>) | undefined;
  closed(): void;
}

export function editAt(anchor: HTMLElement, options: EditOptions): void {
  const place = anchor.getBoundingClientRect();
  const input = h("input", {
    class: "edit",
    type: "text",
    spellcheck: false,
    "aria-label": options.label,
  });
  input.value = options.value;
  const message = h("div", { class: "refusal", role: "alert" });
  const hint = h("div", { class: "hint quiet" }, options.hint ?? "");
  const box = h("div", { class: "editor" }, input, message, hint);
  box.style.left = `${place.left}px`;
  box.style.top = `${place.top}px`;
  box.style.minWidth = `${Math.max(place.width, 180)}px`;
  let done = false;
  const close = () => {
    if (done) return;
    done = true;
    box.remove();
    options.closed();
  };
  const save = (all: boolean) => {
    const store = all ? (options.saveAll ?? options.save) : options.save;
    const isSame = store === options.save && input.value === options.value;
    if (isSame && options.value !== "") close();
    else void attempt(() => store(input.value));
  };
  const attempt = async (action: () => Promise<void>) => {
    input.readOnly = true;
    try {
      await action();
      close();
    } catch (error) {
      message.textContent = reasonOf(error);
      hint.textContent = "";
      input.setAttribute("aria-invalid", "true");
      input.readOnly = false;
      input.focus();
    }
  };
  input.addEventListener("keydown", (event) => {
    // The editor's own function keys stay: F1 opens the palette from here as from anywhere.
    if (!/^F\d/.test(event.key)) event.stopPropagation();
    if (event.key === "Escape") close();
    else if (event.key === "Enter") save(event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  });
  input.addEventListener("paste", (event) => {
    const action = options.takes?.(event.clipboardData?.getData("text/plain") ?? "");
    if (action === undefined) return;
    event.preventDefault();
    void attempt(action);
  });
  input.addEventListener("blur", () => {
    if (!input.readOnly && message.textContent === "" && input.value === options.value) close();
  });
  byId("app").append(box);
  input.focus();
  input.select();
}
