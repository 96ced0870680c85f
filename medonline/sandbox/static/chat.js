// Shows what comes into the chat. The page is not loaded again for it: a press that falls into a load is lost.
(() => {
  "use strict";

  const chat = document.getElementById("chat");
  const connection = document.getElementById("connection");

  async function poll() {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const now = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("chat");
      if (!now.isEqualNode(chat)) chat.replaceChildren(...now.children);
      connection.textContent = "";
    } catch {
      if (!connection.textContent) connection.textContent = "Нет связи со стендом, пробуем ещё раз…";
    }
    setTimeout(poll, 1000);
  }

  setTimeout(poll, 1000);
})();
