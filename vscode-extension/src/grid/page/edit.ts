// The field in which a value is typed: over a cell, or for a new row. A refusal stays beside it.

import { byId, h } from "../../webview/dom";
import { luaString } from "./pasting";
import { reasonOf } from "./status";

const WIDTH_MIN = 180;
const WIDTH_MAX = 640;
const HEIGHT_MAX = 260;
/** About: it decides how wide the field is at first. */
const CHARACTER_WIDTH = 8.5;

export interface EditOptions {
  label: string;
  value: string;
  /** What was typed before the field was there; one goes on behind it. */
  typed?: string;
  /** What one could type, as long as nothing is there. */
  example?: string;
  /** The field stands below the anchor, not over it. */
  below?: boolean;
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
  // One line for most values, more where one would not show them whole.
  const input = h("textarea", {
    class: "edit",
    rows: 1,
    spellcheck: false,
    placeholder: options.example,
    "aria-label": options.label,
  });
  input.value = options.typed ?? options.value;
  const grow = () => {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight + 2, HEIGHT_MAX)}px`;
  };
  input.addEventListener("input", grow);
  const message = h("div", { class: "refusal", role: "alert" });
  const hint = h("div", { class: "hint quiet" }, options.hint ?? "");
  const box = h("div", { class: "editor" }, input, message, hint);
  const wanted = options.value.length * CHARACTER_WIDTH + 20;
  const width = Math.min(Math.max(place.width, wanted, WIDTH_MIN), WIDTH_MAX, innerWidth - 16);
  box.style.width = `${width}px`;
  box.style.left = `${Math.max(Math.min(place.left, innerWidth - width - 8), 8)}px`;
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
      message.textContent = `${reasonOf(error)}${quotesHint(input.value)}`;
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
  grow();
  const wantedTop = options.below === true ? place.bottom + 2 : place.top;
  const top = Math.min(wantedTop, innerHeight - box.offsetHeight - 8);
  box.style.top = `${Math.max(top, 8)}px`;
  input.focus();
  if (options.typed === undefined) input.select();
  else input.setSelectionRange(input.value.length, input.value.length);
}

const LITERALS = new Set(["nil", "true", "false"]);

/** Words that were typed as they are: most often somebody means a text. */
function quotesHint(text: string): string {
  const isWords = /^[\p{L}_][\p{L}\p{N}_ ,.'-]*$/u.test(text) && !LITERALS.has(text);
  return isWords ? `. A text has quotes: ${luaString(text)}` : "";
}
