// All suites by name. Some want a window of their own: the driver names them in LUA_PERSIST_TEST_SUITE.

import { cellsSuite } from "./cells";
import { commandsSuite } from "./commands";
import { evaluateSuite } from "./evaluate";
import { foldersSuite } from "./folders";
import { indexingSuite } from "./indexing";
import { lifeSuite, untrustedSuite } from "./life";
import { manifestSuite } from "./manifest";
import { newRowsSuite } from "./newRows";
import { promptSuite } from "./prompt";
import { pureSuite } from "./pure";
import { settingsSuite } from "./settings";
import { setupSuite } from "./setup";
import { trackingSuite } from "./tracking";
import { viewsSuite } from "./views";

export const suites: Record<string, () => void> = {
  life: lifeSuite,
  untrusted: untrustedSuite,
  manifest: manifestSuite,
  tracking: trackingSuite,
  setup: setupSuite,
  evaluate: evaluateSuite,
  pure: pureSuite,
  cells: cellsSuite,
  newRows: newRowsSuite,
  views: viewsSuite,
  indexing: indexingSuite,
  commands: commandsSuite,
  settings: settingsSuite,
  prompt: promptSuite,
  folders: foldersSuite,
};
