// Whether the page is on its way out. «Выйти» ends the session before its answer is there: what the server says of the session
// meanwhile must not lead elsewhere, with «Войдите снова» instead of «Вы вышли».
const LEAVES_WITHIN_MS = 20_000;
let leftAt = -Infinity; // of performance.now(), when a form went off that leaves the page

document.addEventListener("portal:leave", () => {
  leftAt = performance.now();
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) leftAt = -Infinity;
});
// Asked by shared/may_leave.js, which the scripts of passkeys have, too.
document.addEventListener("portal:may-leave", (event) => {
  if (performance.now() - leftAt < LEAVES_WITHIN_MS) event.preventDefault();
});
