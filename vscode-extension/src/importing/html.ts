// The parts of the page of an import; its script fills them.

import { escaped } from "../webview/host";

export function importBody(file: string, table: string): string {
  const name = escaped(file);
  return `<main id="app">
  <header>
    <h1>Import <button id="file" class="link" title="Open the file">${name}</button></h1>
    <p id="facts" class="quiet"></p>
  </header>
  <form id="choices">
    <label>Into the table <input id="table" type="text" value="${escaped(table)}" spellcheck="false" required></label>
    <label>Key <select id="key"></select></label>
    <label id="infer-label"><input id="infer" type="checkbox" checked> Infer numbers and booleans</label>
    <label><input id="replace" type="checkbox"> Replace rows with the same key</label>
  </form>
  <section id="problems" aria-label="Problems" role="alert" hidden></section>
  <div id="rows" role="region" tabindex="0" aria-label="First rows of ${name}"></div>
  <footer>
    <span id="status" role="status"></span>
    <progress id="progress" max="100" aria-label="Import" hidden></progress>
    <button id="cancel" type="button" hidden>Cancel</button>
    <button id="undo" type="button" hidden>Undo</button>
    <button id="open" type="button" hidden>Open table</button>
    <button id="run" type="submit" form="choices" class="primary" disabled>Import</button>
  </footer>
</main>`;
}
