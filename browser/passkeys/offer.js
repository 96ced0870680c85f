// «Вход по отпечатку, лицу или PIN телефона» is offered once, and only where the device itself can check who holds it.
import { ask } from "./server.js";

export async function offerOnce() {
  if (!document.querySelector("[data-passkey-offer]")) return;
  if (!(await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) return;
  const { offer } = await ask("offer", {}).catch(() => ({ offer: false }));
  if (offer) document.documentElement.dataset.passkeyOffer = "on";
}

/** @param {boolean} [added] whether a key was added: then its message stays on the screen */
export async function answerOffer(added) {
  const shown = document.documentElement.dataset.passkeyOffer;
  if (!shown) return;
  document.documentElement.dataset.passkeyOffer = added ? "done" : "off";
  await ask("offer", { answered: true }).catch(() => {});
}
