// Where a code comes by SMS, a browser that knows WebOTP offers to take it out of the message: the patient agrees with one tap.
// The last line of the SMS names this host, so no other site gets the code. The form is sent by the patient, not from here.
import { all } from "../shared/dom.js";

/** @type {AbortController | null} */
let waiting = null;

/** @returns {HTMLInputElement | null | undefined} */
const field = () => all("[data-web-otp=on]")[0]?.closest("form")?.querySelector("input[name=code]");

/** Wait for an SMS while a form for its code is on the page; stop when it is gone. */
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
  // Not in the types of TypeScript: https://wicg.github.io/web-otp/
  const asked = /** @type {CredentialRequestOptions} */ ({ signal, ...{ otp: { transport: ["sms"] } } });
  try {
    const got = /** @type {(Credential & { code?: string }) | null} */ (await navigator.credentials.get(asked));
    const place = field();
    if (!signal.aborted && got?.code && place && !place.value) {
      place.value = got.code;
      place.dispatchEvent(new Event("input", { bubbles: true }));
    }
  } catch {
    // The patient refused, or the browser gave up waiting: the field is there, and the code is typed.
  }
}
