// The routes of `web/routes/passkeys.py`.

/** @typedef {{ refused: string, why: string, unknown?: { rpId: string, credentialId: string } }} Refusal */

/** The server refused. The message is its text for the patient. */
export class Refused extends Error {
  /** @param {Refusal} refusal */
  constructor(refusal) {
    super(refusal.refused);
    this.refusal = refusal;
    this.ofAnswer = false; // whether the server refused the key that the patient chose
  }
}

/**
 * @param {string} what
 * @param {object} asked
 */
export async function ask(what, asked) {
  const answer = await fetch(`/passkeys/${what}`, {
    method: "POST",
    cache: "no-store",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(asked),
  });
  const said = await answer.json();
  if (said.refused) throw new Refused(said);
  return said;
}

/** The host that passkeys are made for; empty where the portal has none. */
export async function host() {
  const answer = await fetch("/passkeys/host", { cache: "no-store" });
  return String((await answer.json()).host);
}
