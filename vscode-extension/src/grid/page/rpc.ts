// The line of the table editor's page to the extension.

import type { ChangedNotice } from "../../protocol";
import { Line } from "../../webview/line";
import type { PageRequests, PageState } from "../messages";

const line = new Line<PageRequests, ChangedNotice, PageState>();

export const ask: typeof line.ask = line.ask.bind(line);
export const listen: typeof line.listen = line.listen.bind(line);
export const keepState: typeof line.keep = line.keep.bind(line);
