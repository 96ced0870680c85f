// «Вход по отпечатку, лицу или PIN телефона»: offered once, where the device itself can look who holds it.
import { ask } from "./server.js";

export async function offerOnce() {
  if (!document.querySelector("[data-passkey-offer]")) return;
  if (!(await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) return;
  const { offer } = await ask("offer", {}).catch(() => ({ offer: false }));
  if (offer) document.documentElement.dataset.passkeyOffer = "on";
}

/** @param {boolean} [added] what was said of it stays to be read */
export async function answerOffer(added) {
  const shown = document.documentElement.dataset.passkeyOffer;
  if (!shown) return;
  document.documentElement.dataset.passkeyOffer = added ? "done" : "off";
  await ask("offer", { answered: true }).catch(() => {});
}
