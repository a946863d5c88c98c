// Bundles the extension, its webview and its tests. `node esbuild.mjs` for what is shipped,
// `node esbuild.mjs --tests` for the tests as well.
import { build } from "esbuild";

const shipped = process.argv.includes("--minify");
const common = {
  bundle: true,
  logLevel: "warning",
  minify: shipped,
  sourcemap: shipped ? false : "inline",
  legalComments: "none",
};
const node = { ...common, platform: "node", target: "node20", format: "cjs", external: ["vscode"] };

const browser = { ...common, platform: "browser", target: "es2022", format: "iife" };

const builds = [
  build({ ...node, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js" }),
  build({ ...browser, entryPoints: { grid: "src/grid/page/main.ts" }, outdir: "dist/media" }),
];
if (process.argv.includes("--tests")) {
  builds.push(
    build({
      ...node,
      entryPoints: ["test/host/index.ts"],
      outfile: "dist/test/host.cjs",
      external: ["vscode", "mocha"],
    }),
  );
}
await Promise.all(builds);
