interface Window {
  /** The token of «это не я» where the tab's storage is barred: `early/dispute_token.js` puts it there. */
  medonlineDispute?: string;
  /** The app's socket: `early/watched_sockets.js` puts it there. `frame`: the last one sent that says where the page is. */
  medonlineSocket?: { joined: WebSocket | null; frame: string };
}
