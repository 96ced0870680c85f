// Shows new calls and messages of the demo phone once a second; the markup is the one of demo_phone.py.
(() => {
  "use strict";

  const phone = document.querySelector("[data-events]");
  if (!phone) return;

  const calls = document.getElementById("calls");
  const messages = document.getElementById("messages");
  const sms = document.getElementById("sms");
  const qr = document.getElementById("qr");  // only where Gosuslugi has its stand-in
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

  function smsItem(event) {
    const code = event.text.match(/\d{4,8}/);
    const text = code
      ? [event.text.slice(0, code.index), element("strong", "", code[0]), event.text.slice(code.index + code[0].length)]
      : [event.text];
    return element(
      "li", "new", element("span", "what", event.from), " ", element("span", "text", ...text), time(event.at),
    );
  }

  function qrItem(id) {
    const link = element("a", "button", "Подтвердить вход по QR-коду");
    link.href = `gosuslugi/qr/${encodeURIComponent(id)}?number=${qr.dataset.number}`;
    return element("li", "", link);
  }

  let offered = "";
  async function pollQr() {
    try {
      const answer = await fetch(qr.dataset.pending, { cache: "no-store" });
      const pending = answer.ok ? await answer.json() : [];
      if (offered !== pending.join()) {
        offered = pending.join();
        qr.replaceChildren(...pending.map(qrItem));
      }
    } catch {
      // The other poll says that there is no connection.
    }
    setTimeout(pollQr, 2000);
  }

  function show(events) {
    if (events.length < shown) {  // the stand was started afresh
      calls.replaceChildren();
      messages.replaceChildren();
      sms.replaceChildren();
      shown = 0;
    }
    for (const event of events.slice(shown)) {
      if (event.kind === "call") calls.prepend(callItem(event));
      else if (event.kind === "sms") sms.append(smsItem(event));
      else if (event.kind === "telegram") messages.append(messageItem(event));
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
  if (qr) {
    offered = [...qr.querySelectorAll("a")].map((link) => link.pathname.split("/").pop()).join();
    pollQr();
  }
})();
