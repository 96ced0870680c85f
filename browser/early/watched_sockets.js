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
  }

  /** @param {string} data */
  send(data) {
    super.send(data);
    if (typeof data === "string" && data.includes('"router_data"')) seen.frame = data;
    tell("socket:sent", { socket: this, frame: data });
  }
};
