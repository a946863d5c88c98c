// Runs the scenarios named on the command line in one window, and prints what came of each as JSON.

import { Editor, type Settings } from "./editor";
import { scenarios } from "./scenarios";

interface Outcome {
  title: string;
  passed: boolean;
  error: string;
  measured: Record<string, number>;
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.env.LUA_PERSIST_UI ?? "{}") as Settings;
  const wanted = process.argv.slice(2);
  const editor = await Editor.open(settings);
  const outcomes: Outcome[] = [];
  try {
    for (const name of wanted) {
      const measured: Record<string, number> = {};
      try {
        const scenario = scenarios[name];
        if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
        await scenario(editor, measured);
        outcomes.push({ title: name, passed: true, error: "", measured });
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        await editor.shot(`failed-${name}`).catch(() => undefined);
        outcomes.push({ title: name, passed: false, error: text, measured });
      }
    }
  } finally {
    await editor.close();
  }
  process.stdout.write(JSON.stringify(outcomes));
}

void main();
