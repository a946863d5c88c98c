// A page's end of the line to the extension: requests with answers, and news.

/** Requests of a page by name: parameters, answer. */
export type Requests<R> = { [K in keyof R]: [unknown, unknown] };

export interface RequestMessage {
  id: number;
  name: string;
  params: unknown;
}

/** What the extension says; `news` is whatever a page wants to hear of. */
export type HostMessage<News> =
  | { kind: "answer"; id: number; result: unknown }
  | { kind: "failure"; id: number; message: string }
  | { kind: "news"; news: News };

interface VsCodeApi<State> {
  postMessage(message: unknown): void;
  getState(): State | undefined;
  setState(state: State): void;
}

declare function acquireVsCodeApi<State>(): VsCodeApi<State>;

interface Waiting {
  resolve(result: never): void;
  reject(error: Error): void;
}

/** The line of a page. */
export class Line<R extends Requests<R>, News, State extends object> {
  private readonly vscode = acquireVsCodeApi<State>();
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners: ((news: News) => void)[] = [];
  private count = 0;

  constructor() {
    window.addEventListener("message", (event: MessageEvent<HostMessage<News>>) => {
      this.take(event.data);
    });
  }

  ask<K extends keyof R & string>(name: K, params: R[K][0]): Promise<R[K][1]> {
    this.count += 1;
    const id = this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.vscode.postMessage({ id, name, params } satisfies RequestMessage);
    });
  }

  listen(listener: (news: News) => void): void {
    this.listeners.push(listener);
  }

  /** What the editor keeps for the page over a reload. */
  keep(state: State): void {
    this.vscode.setState({ ...this.vscode.getState(), ...state });
  }

  private take(message: HostMessage<News>): void {
    if (message.kind === "news") {
      for (const listener of this.listeners) listener(message.news);
      return;
    }
    const request = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.kind === "answer") request?.resolve(message.result as never);
    else request?.reject(new Error(message.message));
  }
}
