// The package's manifest and the sources say the same.

import * as assert from "node:assert/strict";
import * as vscode from "vscode";
import { COMMANDS } from "../../src/commands";
import { api, EXTENSION_ID } from "./helpers";

interface Manifest {
  contributes: {
    commands: { command: string; title: string; category: string }[];
    keybindings: { command: string; key: string; when: string }[];
    menus: Record<string, { command?: string; submenu?: string; when?: string }[]>;
    colors: { id: string }[];
  };
}

function manifest(): Manifest {
  return vscode.extensions.getExtension(EXTENSION_ID)?.packageJSON as Manifest;
}

export function manifestSuite(): void {
  it("has a title for every command, and a command for every title", () => {
    const titled = manifest().contributes.commands.map(({ command }) => command);
    assert.deepEqual([...titled].sort(), Object.values(COMMANDS).sort());
  });

  it("offers evaluating only for texts that the server knows", () => {
    const { commands, keybindings, menus } = manifest().contributes;
    const evaluating = commands
      .map(({ command }) => command)
      .filter((command) => command.startsWith("luaPersist.evaluate"));
    const offered = [
      ...keybindings,
      ...(menus.commandPalette ?? []),
      ...(menus["editor/title/run"] ?? []),
      ...(menus["editor/context"] ?? []),
    ].filter(({ command }) => command === undefined || evaluating.includes(command));
    assert.ok(offered.length > 2 * evaluating.length);
    for (const { command, when } of offered) {
      assert.match(when ?? "", /!\(resourceScheme =~ /, command);
    }
  });

  it("registers every command", async () => {
    await api();
    const known = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      Object.values(COMMANDS).filter((command) => !known.has(command)),
      [],
    );
  });

  it("binds keys and menus to commands that exist, all keys behind one setting", () => {
    const { keybindings, menus } = manifest().contributes;
    const known = new Set<string>(Object.values(COMMANDS));
    const used = Object.values(menus).flat();
    const named = [...keybindings, ...used].flatMap(({ command }) => command ?? []);
    assert.deepEqual(
      named.filter((command) => !known.has(command)),
      [],
    );
    for (const { key, when } of keybindings) {
      assert.match(when, /config\.luaPersist\.keybindings\.enabled/, key);
    }
  });
}
