// Watches the app's socket: what it sends, when the server lets it in, and when it ends. The app itself reports none of this. This
// script must run before the app opens its socket. `portal/answers.js` may load later, and finds here what it has missed.

/** @type {{ joined: WebSocket | null, frame: string }} */
const seen = { joined: null, frame: "" };
window.medonlineSocket = seen;

/**
 * @param {string} name
 * @param {object} detail
 */
const tell = (name, detail) => dispatchEvent(new CustomEvent(name, { detail }));

// «Выйти» ends the session before its answer is there, and the app ends its socket, because the page leaves. If the patient looks at
// another tab and comes back meanwhile, the app opens a new socket. Over that one it would be told to sign in again, and the patient
// would not read «Вы вышли».
const NO_SOCKET_FOR_MS = 20_000;
let signedOutAt = -Infinity; // of performance.now()
document.addEventListener("portal:leave", ({ target }) => {
  if (target instanceof HTMLFormElement && target.getAttribute("action") === "/session/close") signedOutAt = performance.now();
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) signedOutAt = -Infinity;
});

window.WebSocket = class extends WebSocket {
  /**
   * @param {string | URL} address
   * @param {string | string[]} [protocols]
   */
  constructor(address, protocols) {
    super(address, protocols);
    this.addEventListener("message", ({ data }) => {
      if (typeof data !== "string" || !data.startsWith("40")) return;
      seen.joined = this;
      tell("socket:joined", this);
    });
    this.addEventListener("close", () => {
      if (seen.joined === this) seen.joined = null;
      tell("socket:ended", this);
    });
    if (performance.now() - signedOutAt < NO_SOCKET_FOR_MS) this.close();
  }

  /** @param {string} data */
  send(data) {
    super.send(data);
    if (typeof data === "string" && data.includes('"router_data"')) seen.frame = data;
    tell("socket:sent", { socket: this, frame: data });
  }
};
