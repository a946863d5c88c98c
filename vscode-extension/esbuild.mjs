// Bundles the extension, its webview and its tests. `--minify` is for what is shipped,
// `--tests` the tests as well, `--only-tests` nothing else.
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

const builds = process.argv.includes("--only-tests")
  ? []
  : [
      build({ ...node, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js" }),
      build({
        ...browser,
        entryPoints: { grid: "src/grid/page/main.ts", import: "src/importing/page/main.ts" },
        outdir: "dist/media",
      }),
      // Loaded by the page when the first chart is wanted.
      build({
        ...browser,
        entryPoints: { plot: "src/grid/page/plot.ts" },
        globalName: "luaPersistPlot",
        outdir: "dist/media",
      }),
    ];
if (process.argv.some((argument) => argument.endsWith("tests"))) {
  builds.push(
    build({
      ...node,
      entryPoints: ["test/host/index.ts"],
      outfile: "dist/test/host.cjs",
      external: ["vscode", "mocha"],
    }),
    build({
      ...node,
      entryPoints: ["test/ui/main.ts"],
      outfile: "dist/test/ui.cjs",
      external: ["playwright-core"],
    }),
  );
}
await Promise.all(builds);
