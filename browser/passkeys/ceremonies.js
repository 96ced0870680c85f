// The two ceremonies of passkeys, and what to tell the patient about their results. Only one may run: a browser refuses a second one.
import { postTicket } from "../shared/post_ticket.js";
import { Refused, ask } from "./server.js";

/** @type {AbortController | null} */
let running = null;

function takeOver() {
  running?.abort();
  running = new AbortController();
  return running.signal;
}

export const stopAsking = () => running?.abort();

/**
 * @param {string} purpose
 * @param {string} action the address that the ticket is posted to
 * @param {CredentialMediationRequirement} [mediation]
 */
export async function signIn(purpose, action, mediation) {
  const signal = takeOver();
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(await ask("login/begin", { purpose }));
  signal.throwIfAborted();
  const answer = await navigator.credentials.get({ publicKey: options, signal, mediation });
  const { ticket } = await ask("login", { purpose, answer: asJson(answer) }).catch(answerRefused);
  postTicket(action, ticket);
}

export async function add() {
  const signal = takeOver();
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(await ask("add/begin", {}));
  const answer = await navigator.credentials.create({ publicKey: options, signal });
  try {
    await ask("add", { answer: asJson(answer) });
  } catch (error) {
    // The device has made a key that the server did not keep.
    if (error instanceof Refused) await forget({ rpId: location.hostname, credentialId: answer?.id ?? "" });
    throw error;
  }
}

/** @param {Credential | null} credential */
const asJson = (credential) => /** @type {PublicKeyCredential} */ (credential).toJSON();

/**
 * Tells the device to stop offering a key that the server does not know.
 * @param {unknown} error
 */
async function answerRefused(error) {
  if (error instanceof Refused) {
    error.ofAnswer = true;
    if (error.refusal.unknown) await forget(error.refusal.unknown);
  }
  throw error;
}

/** @param {{ rpId: string, credentialId: string }} key */
async function forget(key) {
  await PublicKeyCredential.signalUnknownCredential?.(key).catch(() => {});
}

/**
 * What to tell the patient about an error: the name of one of the button's own texts, or the server's words where it refused.
 * @param {unknown} error
 * @returns {{ word?: string, text?: string, why?: string }}
 */
export function meaningOf(error) {
  if (error instanceof Refused) return { text: error.message, why: error.refusal.why };
  if (error instanceof DOMException) {
    if (error.name === "AbortError") return {};
    if (error.name === "NotAllowedError") return { word: "cancelled" };
    if (error.name === "InvalidStateError") return { word: "have" };
    return { word: "none" };
  }
  return { word: error instanceof TypeError || error instanceof SyntaxError ? "offline" : "none" };
}
