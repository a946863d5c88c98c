// StyLua's own code, as its package for Node.js has it, behind those options of its command that the
// server uses. It reads Lua from standard input and writes it formatted.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const [packages, ...given] = process.argv.slice(2);
const { Config, OutputVerification, Range, formatCode } = createRequire(packages)("@johnnymorganz/stylua");
const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: {
        "search-parent-directories": { type: "boolean" },
        "stdin-filepath": { type: "string" },
        "range-start": { type: "string" },
        "range-end": { type: "string" },
    },
});
if (positionals.join() !== "-") {
    throw new Error(`expected - alone, got ${positionals}`);
}
const part = values["range-start"] === undefined
    ? undefined
    : Range.from_values(Number(values["range-start"]), Number(values["range-end"]));
try {
    const text = formatCode(readFileSync(0, "utf-8"), Config.new(), part, OutputVerification.Full);
    process.stdout.write(text);
} catch (error) {
    process.stderr.write(`error: could not format from stdin: ${error}\n`);
    process.exitCode = 2;
}
