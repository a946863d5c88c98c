// The page's end of the line to the extension.

import type { ChangedNotice } from "../../protocol";
import type { HostMessage, PageRequest, PageRequests, PageState } from "../messages";

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): PageState | undefined;
  setState(state: PageState): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

const vscode = acquireVsCodeApi();

interface Waiting {
  resolve(result: never): void;
  reject(error: Error): void;
}

const waiting = new Map<number, Waiting>();
let count = 0;

export function ask<K extends PageRequest>(
  name: K,
  params: PageRequests[K][0],
): Promise<PageRequests[K][1]> {
  count += 1;
  const id = count;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    vscode.postMessage({ id, name, params });
  });
}

export function listen(onChanged: (change: ChangedNotice) => void): void {
  window.addEventListener("message", (event: MessageEvent<HostMessage>) => {
    const message = event.data;
    if (message.kind === "changed") {
      onChanged(message.change);
      return;
    }
    const request = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === "answer") request?.resolve(message.result as never);
    else request?.reject(new Error(message.message));
  });
}

export function keepState(state: PageState): void {
  vscode.setState({ ...vscode.getState(), ...state });
}
