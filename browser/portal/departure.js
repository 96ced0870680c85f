// Knows whether the page is leaving. «Выйти» ends the session before its answer arrives. If the server says meanwhile that the session
// is over, the page must not leave for «Войдите снова»: the patient must see «Вы вышли».
import { mayLeave } from "../shared/may_leave.js";

const LEAVES_WITHIN_MS = 20_000;
let leftAt = -Infinity; // the performance.now() at which a form that leaves the page was sent

document.addEventListener("portal:leave", () => {
  leftAt = performance.now();
  setTimeout(comeBack, LEAVES_WITHIN_MS + 1000);
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) leftAt = -Infinity;
});

// If the patient stops the loading, the page stays. But the app has ended its socket, and opens another one only when it thinks that the
// page is shown again.
function comeBack() {
  const isDead = document.visibilityState === "visible" && !window.medonlineSocket?.joined;
  if (isDead && mayLeave()) document.dispatchEvent(new Event("visibilitychange"));
}

// shared/may_leave.js sends this. It asks by an event, because the passkey scripts, which share no memory with this one, use it too.
document.addEventListener("portal:may-leave", (event) => {
  if (performance.now() - leftAt < LEAVES_WITHIN_MS) event.preventDefault();
});
