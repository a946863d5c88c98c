// The parts of the table editor's page; its script fills them.

import { escaped } from "../webview/host";

export function gridBody(name: string): string {
  const table = escaped(name);
  return `<main id="app">
  <h1 class="unseen">Table editor</h1>
  <div class="toolbar" role="toolbar" aria-label="Table">
    <nav id="trail" aria-label="Where"></nav>
    <input id="filter" type="search" placeholder="Search all columns" aria-label="Search all columns (/)" spellcheck="false">
    <button id="add" title="Add a row (Insert)">Add row</button>
    <button id="edit" title="Change what is selected" aria-haspopup="menu">Edit ▾</button>
    <button id="delete" title="Delete the selected rows (Delete)">Delete</button>
    <button id="copy" title="Copy what is selected" aria-haspopup="menu">Copy ▾</button>
    <button id="export" title="Export all rows that are found by the conditions and the search">Export…</button>
    <button id="value" title="The whole value of the active cell (Space)">Value</button>
    <button id="profile" title="What there is in the active column">Profile</button>
    <button id="chart" title="A picture of columns">Chart</button>
    <button id="refresh" title="Read again" aria-label="Refresh">⟳</button>
  </div>
  <div class="toolbar">
    <input id="query" type="text" placeholder="Conditions: age &gt; 25 and name startsWith A" aria-label="Conditions" spellcheck="false">
    <button id="build" aria-expanded="false" aria-controls="builder" title="Conditions one by one">Builder</button>
  </div>
  <div id="builder" role="group" aria-label="Query builder" hidden></div>
  <div id="middle">
    <div id="grid" role="grid" tabindex="0" aria-label="Rows of ${table}" aria-multiselectable="true">
      <div id="empty" hidden></div>
    </div>
    <aside id="side" aria-label="Details" hidden></aside>
  </div>
  <footer id="status">
    <span id="count" aria-live="polite"></span>
    <button id="plan" class="quiet-button quiet" title="How the rows were found"></button>
    <span id="message" role="status"></span>
  </footer>
</main>`;
}
