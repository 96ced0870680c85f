// Shows new calls and messages of the demo phone once a second; the markup is the one of demo_phone.py.
(() => {
  "use strict";

  const phone = document.querySelector("[data-events]");
  if (!phone) return;

  const calls = document.getElementById("calls");
  const messages = document.getElementById("messages");
  const connection = document.getElementById("connection");
  const clock = new Intl.DateTimeFormat("ru-RU", { timeStyle: "medium", timeZone: "Europe/Moscow" });
  let shown = Number(phone.dataset.shown);

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function time(at) {
    const made = element("time", "", clock.format(new Date(at)));
    made.dateTime = at;
    return made;
  }

  function callItem(event) {
    const from = event.from;
    const caller = `${from.slice(0, 2)} ${from.slice(2, 5)} ${from.slice(5, 8)} `;
    return element(
      "li", "new",
      element("span", "caller", caller, element("strong", "", from.slice(8))),
      element("span", "what", event.text),
      time(event.at),
    );
  }

  function messageItem(event) {
    const code = event.text.match(/\d{4,8}/);
    const text = code ? ["Ваш код: ", element("strong", "", code[0])] : [event.text];
    return element("li", "new", element("span", "text", ...text), time(event.at));
  }

  function show(events) {
    if (events.length < shown) {  // the stand was started afresh
      calls.replaceChildren();
      messages.replaceChildren();
      shown = 0;
    }
    for (const event of events.slice(shown)) {
      if (event.kind === "call") calls.prepend(callItem(event));
      else messages.append(messageItem(event));
    }
    shown = events.length;
  }

  async function poll() {
    try {
      const answer = await fetch(phone.dataset.events, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
      connection.textContent = "";
    } catch {
      if (!connection.textContent) connection.textContent = "Нет связи со стендом, пробуем ещё раз…";
    }
    setTimeout(poll, 1000);
  }

  poll();
})();
