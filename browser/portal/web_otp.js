// When a code comes by SMS, a browser that supports WebOTP offers to read it from the message. The patient agrees with one tap.
// The last line of the SMS names this host, so no other site gets the code. The patient sends the form, not this script.
import { all } from "../shared/dom.js";

/** @type {AbortController | null} */
let waiting = null;

/** @returns {HTMLInputElement | null | undefined} */
const field = () => all("[data-web-otp=on]")[0]?.closest("form")?.querySelector("input[name=code]");

/** Waits for an SMS while a form for its code is on the page, and stops when the form is gone. */
export function awaitSms() {
  const place = field();
  if (place && !waiting && "OTPCredential" in window) take();
  if (!place && waiting) {
    waiting.abort();
    waiting = null;
  }
}

async function take() {
  waiting = new AbortController();
  const { signal } = waiting;
  // TypeScript's types lack `otp`: https://wicg.github.io/web-otp/
  const asked = /** @type {CredentialRequestOptions} */ ({ signal, ...{ otp: { transport: ["sms"] } } });
  try {
    const got = /** @type {(Credential & { code?: string }) | null} */ (await navigator.credentials.get(asked));
    const place = field();
    if (!signal.aborted && got?.code && place && !place.value) {
      place.value = got.code;
      place.dispatchEvent(new Event("input", { bubbles: true }));
    }
  } catch {
    // The patient refused, or the browser gave up waiting. The patient can still type the code into the field.
  }
}
