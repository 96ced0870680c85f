interface Window {
  /** The token of «это не я» where the tab's storage is barred: `early/dispute_token.js` puts it there. */
  medonlineDispute?: string;
}
