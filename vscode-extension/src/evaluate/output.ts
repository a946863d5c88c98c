// What programs print, in a channel of its own: results are in the editor, logs in the log.

import * as vscode from "vscode";
import { Lifetime } from "../lifetime";
import type { Evaluation, OutputPiece } from "../protocol";
import type { LuaServer } from "../server/luaServer";

export class ProgramOutput implements vscode.Disposable {
  private readonly lifetime = new Lifetime();
  private readonly channel = this.lifetime.own(vscode.window.createOutputChannel("Lua Output"));
  /** Evaluations whose output came while they ran. */
  private readonly streamed = new Set<string>();
  private endsWithNewline = true;

  constructor(server: LuaServer) {
    this.lifetime.own(
      server.onOutput((notice) => {
        if (notice.id !== undefined) this.streamed.add(notice.id);
        this.write(notice.pieces);
      }),
    );
    this.lifetime.own(server.onEvaluation((evaluation) => this.ended(evaluation)));
  }

  show(): void {
    this.channel.show(true);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private ended(evaluation: Evaluation): void {
    const wasStreamed = evaluation.id !== undefined && this.streamed.delete(evaluation.id);
    if (!wasStreamed) this.write(evaluation.output);
    if (!this.endsWithNewline) this.channel.appendLine("");
    this.endsWithNewline = true;
  }

  private write(pieces: readonly OutputPiece[]): void {
    for (const piece of pieces) {
      this.channel.append(piece.text);
      this.endsWithNewline = piece.text.endsWith("\n");
    }
  }
}
