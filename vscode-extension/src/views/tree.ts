// What the four views share: nodes that load their children in pages, a filter, failures as nodes.

import * as vscode from "vscode";
import { Lifetime, messageOf } from "../lifetime";

export const PAGE_SIZE = 100;
/** So many entries the server gives at once. */
const ENTRIES_AT_ONCE_MAX = 1_000;
/** A filter looks at so many, whether they were shown or not. */
const FILTERED_MAX = 10_000;

export interface Node {
  readonly item: vscode.TreeItem;
  /** Set for nodes with children. */
  load?(limit: number): Promise<Page>;
}

export interface Page {
  nodes: Node[];
  /** How many there are beyond these; 0: these are all. */
  more: number;
  /** What stands at the end, behind what is loaded when it is asked for. */
  last?: Node[];
}

/** A view over nodes. */
export class Tree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changeEmitter = this.lifetime.own(new vscode.EventEmitter<Node | undefined>());
  readonly onDidChangeTreeData = this.changeEmitter.event;
  private readonly view: vscode.TreeView<Node>;
  private limits = new WeakMap<Node, number>();
  private rootLimit = PAGE_SIZE;
  private filterText = "";

  constructor(
    readonly id: string,
    private readonly root: (limit: number) => Promise<Page>,
  ) {
    this.view = this.lifetime.own(
      vscode.window.createTreeView(id, { treeDataProvider: this, showCollapseAll: true }),
    );
  }

  get filter(): string {
    return this.filterText;
  }

  setFilter(text: string): void {
    this.filterText = text.trim();
    this.view.message = this.filterText === "" ? "" : `Filter: ${this.filterText}`;
    this.refresh();
  }

  /** Stands beside the view's name; empty for nothing. */
  describe(text: string): void {
    this.view.description = text;
  }

  get description(): string {
    return this.view.description ?? "";
  }

  refresh(node?: Node): void {
    this.changeEmitter.fire(node);
  }

  loadMore(parent: Node | undefined): void {
    // As many again as there are: nobody clicks a hundred times.
    if (parent === undefined) this.rootLimit *= 2;
    else this.limits.set(parent, (this.limits.get(parent) ?? PAGE_SIZE) * 2);
    this.refresh(parent);
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return node.item;
  }

  async getChildren(node?: Node): Promise<Node[]> {
    const ofRoot = this.filterText === "" ? this.rootLimit : FILTERED_MAX;
    const limit = node === undefined ? ofRoot : (this.limits.get(node) ?? PAGE_SIZE);
    try {
      const page = node === undefined ? await this.root(limit) : await node.load?.(limit);
      const nodes = page?.nodes ?? [];
      const last = page?.last ?? [];
      const shown = (all: Node[]) =>
        node === undefined ? all.filter((each) => this.matches(each)) : all;
      const more = page !== undefined && page.more > 0 ? [this.moreNode(node, page)] : [];
      return [...shown(nodes), ...more, ...shown(last)];
    } catch (error) {
      return [failure(messageOf(error))];
    }
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private matches({ item }: Node): boolean {
    const text = `${labelOf(item)} ${item.description ?? ""}`.toLowerCase();
    return text.includes(this.filterText.toLowerCase());
  }

  private moreNode(parent: Node | undefined, { more }: Page): Node {
    const item = new vscode.TreeItem(`Load more (${more.toLocaleString("en-US")} left)`);
    item.iconPath = new vscode.ThemeIcon("ellipsis");
    item.command = {
      title: "Load More",
      command: "luaPersist.loadMore",
      arguments: [this.id, parent],
    };
    return { item };
  }
}

/** The first `limit` of something that the server gives in pieces. */
export async function inPieces<T>(
  limit: number,
  fetch: (place: { offset: number; limit: number }) => Promise<T[]>,
): Promise<T[]> {
  const found: T[] = [];
  while (found.length < limit) {
    const wanted = Math.min(limit - found.length, ENTRIES_AT_ONCE_MAX);
    const piece = await fetch({ offset: found.length, limit: wanted });
    found.push(...piece);
    if (piece.length < wanted) break;
  }
  return found;
}

export function labelOf(item: vscode.TreeItem): string {
  return typeof item.label === "string" ? item.label : (item.label?.label ?? "");
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function failure(message: string): Node {
  const item = new vscode.TreeItem(message);
  item.iconPath = new vscode.ThemeIcon("warning");
  item.tooltip = message;
  return { item };
}
