// All suites by name. Some want a window of their own: the driver names them in LUA_PERSIST_TEST_SUITE.

import { evaluateSuite } from "./evaluate";
import { manifestSuite } from "./manifest";
import { setupSuite } from "./setup";
import { trackingSuite } from "./tracking";

export const suites: Record<string, () => void> = {
  manifest: manifestSuite,
  tracking: trackingSuite,
  setup: setupSuite,
  evaluate: evaluateSuite,
};
