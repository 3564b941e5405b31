"use strict";

// Addresses are relative to the page, so that it works at the root and under a mount's prefix.
const POLL_EVERY = 1000;
const SHOWN = 100;
const METHODS = { sms: "Text message", callout: "Phone call" };
const byId = (id) => document.getElementById(id);
let shown = null; // null: the first answer is not news

function paragraph(className, text) {
  const element = document.createElement("p");
  element.className = className;
  element.textContent = text; // never markup: texts come from whoever calls the API
  return element;
}

function item(message) {
  const about = document.createElement("div");
  const time = document.createElement("time");
  time.dateTime = message.created_at;
  time.textContent = new Date(message.created_at).toLocaleTimeString();
  about.className = "about";
  about.append(paragraph("to", message.to), paragraph("method", METHODS[message.method] || message.method), time);
  const element = document.createElement("li");
  element.append(about, paragraph("code", message.code), paragraph("text", message.text));
  return element;
}

function announce(messages) {
  const fresh = messages.filter((message) => shown !== null && !shown.has(message.id));
  if (fresh.length) {
    byId("news").textContent = `New for ${fresh[0].to}: code ${[...fresh[0].code].join(" ")}`;
  }
  return shown === null || fresh.length > 0 || messages.length !== shown.size;
}

function show(messages) {
  byId("trouble").hidden = true;
  byId("nothing").hidden = messages.length > 0;
  if (announce(messages)) {
    byId("messages").replaceChildren(...messages.map(item));
    shown = new Set(messages.map((message) => message.id));
  }
}

async function poll() {
  try {
    if (!document.hidden) {
      const response = await fetch(`messages?limit=${SHOWN}`, { cache: "no-store" });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      show(await response.json());
    }
  } catch {
    byId("trouble").hidden = false;
  }
  setTimeout(poll, POLL_EVERY);
}

byId("empty").addEventListener("click", async () => {
  try {
    const response = await fetch("messages", { method: "DELETE" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    show([]);
    byId("news").textContent = "The inbox is empty.";
  } catch {
    byId("trouble").hidden = false;
  }
});
poll();
