// What the client library is told: which documents, which settings, what it may do by itself.

import * as vscode from "vscode";
import type {
  ClientCapabilities,
  ErrorHandler,
  LanguageClientOptions,
  Middleware,
  StaticFeature,
} from "vscode-languageclient/node";
import { COMMAND_PREFIX } from "../protocol";
import { SECTION, setting, showsDecorations } from "../settings";

/** The library is most of what there is to load, and nobody waits for it when it comes later. */
export type Library = typeof import("vscode-languageclient/node");

export function clientOptions(
  library: Library,
  outputChannel: vscode.LogOutputChannel,
  errorHandler: ErrorHandler,
): LanguageClientOptions {
  return {
    documentSelector: [
      { language: "lua", scheme: "file" },
      { language: "lua", scheme: "untitled" },
      { language: "lua", scheme: "vscode-notebook-cell" },
      { language: "lua", scheme: "lua-persist" },
    ],
    outputChannel,
    revealOutputChannelOn: library.RevealOutputChannelOn.Never,
    initializationOptions: () => ({
      ...sessionSettings(),
      trusted: vscode.workspace.isTrusted,
    }),
    initializationFailedHandler: () => false,
    errorHandler,
    middleware: middleware(),
    markdown: { isTrusted: { enabledCommands: trustedCommands() } },
    synchronize: { configurationSection: SECTION },
  };
}

/** What hovers of the server may run when their links are clicked. */
function trustedCommands(): string[] {
  return ["inspect", "tables", "createIndex", "open"].map((name) => COMMAND_PREFIX + name);
}

function middleware(): Middleware {
  return {
    workspace: {
      configuration: async (params, token, next) => {
        const answers = await next(params, token);
        if (!Array.isArray(answers)) return answers;
        return answers.map((answer: unknown, at) =>
          params.items[at]?.section === SECTION ? withoutOwnHints(answer) : answer,
        );
      },
    },
    // The status bar and the pending mark tell that an evaluation runs.
    handleWorkDoneProgress: (token, params, next) => {
      if (params.kind === "begin" && params.title.startsWith("Evaluating")) return;
      next(token, params);
    },
    provideCodeLenses: (document, token, next) =>
      // Cells of a notebook have buttons of their own.
      setting("codeLens.enabled", true) && document.uri.scheme !== "vscode-notebook-cell"
        ? next(document, token)
        : [],
  };
}

/** The library's client, which leaves it to us to tell that a start has failed. */
export function quiet({ LanguageClient, State }: Library): typeof LanguageClient {
  return class extends LanguageClient {
    override error(message: string, data?: unknown, show: boolean | "force" = true): void {
      super.error(message, data, this.state === State.Running && show);
    }
  };
}

/** Tells the server which of its notifications are wanted. */
export class OwnCapabilities implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const experimental = (capabilities.experimental ?? {}) as Record<string, unknown>;
    experimental.luaPersist = {
      evaluation: true,
      output: true,
      status: true,
      changed: true,
      failures: true,
    };
    capabilities.experimental = experimental;
  }

  initialize(): void {}

  getState(): { kind: "static" } {
    return { kind: "static" };
  }

  clear(): void {}
}

/** The section as the server reads it at its start; later changes it asks for by itself. */
function sessionSettings(): Record<string, unknown> {
  return withoutOwnHints(vscode.workspace.getConfiguration().get(SECTION));
}

/** What decorations show is not wanted as inlay hints as well. */
function withoutOwnHints(section: unknown): Record<string, unknown> {
  const settings = { ...(section as Record<string, unknown> | undefined) };
  if (!showsDecorations()) return settings;
  const hints = settings.hints as Record<string, unknown> | undefined;
  return { ...settings, hints: { ...hints, results: false, output: false } };
}
