// The extension's end of the line to a page, and the frame that the page's script fills.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { messageOf } from "../lifetime";
import type { HostMessage, RequestMessage, Requests } from "./line";

export type Handlers<R extends Requests<R>> = {
  [K in keyof R]: (params: R[K][0]) => Promise<R[K][1]>;
};

export interface Frame {
  title: string;
  /** What the script is given. */
  state: unknown;
  /** Files of the media folder. */
  style: string;
  script: string;
  /** Markup inside of the body; texts in it are escaped. */
  body: string;
}

/** Answers a page's requests, and tells it news. */
export class PageHost<R extends Requests<R>, News> {
  private readonly handlers: Handlers<R>;

  constructor(
    private readonly webview: vscode.Webview,
    extensionUri: vscode.Uri,
    frame: Frame,
    handlers: Handlers<R>,
  ) {
    this.handlers = handlers;
    const media = vscode.Uri.joinPath(extensionUri, "dist", "media");
    webview.options = { enableScripts: true, localResourceRoots: [media] };
    webview.onDidReceiveMessage((message: RequestMessage) => void this.answer(message));
    webview.html = frameHtml(webview, media, frame);
  }

  tell(news: News): void {
    this.post({ kind: "news", news });
  }

  private async answer({ id, name, params }: RequestMessage): Promise<void> {
    try {
      const handler = this.handlers[name as keyof R] as (params: unknown) => Promise<unknown>;
      this.post({ kind: "answer", id, result: await handler(params) });
    } catch (error) {
      this.post({ kind: "failure", id, message: plain(messageOf(error)) });
    }
  }

  private post(message: HostMessage<News>): void {
    void this.webview.postMessage(message);
  }
}

/** A message of the server without the name of the command that it begins with. */
export function plain(message: string): string {
  return message.replace(/^lua-persist\.\w+: /, "");
}

export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function frameHtml(webview: vscode.Webview, media: vscode.Uri, frame: Frame): string {
  const nonce = randomBytes(16).toString("base64");
  const file = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(media, name)).toString();
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource} 'unsafe-inline'`,
    `script-src 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${file(frame.style)}">
<title>${escaped(frame.title)}</title>
</head>
<body data-state="${escaped(JSON.stringify(frame.state))}" data-media="${escaped(file(""))}" data-vscode-context='{"preventDefaultContextMenuItems": true}'>
${frame.body}
<script nonce="${nonce}" src="${file(frame.script)}"></script>
</body>
</html>`;
}
