"use strict";

// Addresses are relative to the page, so that it works at the root and under a mount's prefix.
const POLL_EVERY = 1000;
const SHOWN = 100;
const METHODS = { sms: "Text message", callout: "Phone call", flashcall: "Flash call", whatsapp: "WhatsApp" };
const STATUSES = { sent: "on its way", delivered: "delivered", failed: "not delivered" };
const byId = (id) => document.getElementById(id);
let shown = null; // status of each message; null: the first answer is not news

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
  about.append(
    paragraph("to", message.to),
    paragraph("method", METHODS[message.method] || message.method),
    time,
    paragraph(`status ${message.status}`, STATUSES[message.status] || message.status),
  );
  const element = document.createElement("li");
  element.append(about, paragraph("code", message.code), paragraph("text", message.text));
  return element;
}

function announce(messages) {
  const fresh = messages.filter((message) => shown !== null && !shown.has(message.id));
  if (fresh.length) {
    byId("news").textContent = `New for ${fresh[0].to}: code ${[...fresh[0].code].join(" ")}`;
  }
  const changed = (message) => shown.get(message.id) !== message.status;
  return shown === null || messages.length !== shown.size || messages.some(changed);
}

function show(messages) {
  byId("trouble").hidden = true;
  byId("nothing").hidden = messages.length > 0;
  if (announce(messages)) {
    byId("messages").replaceChildren(...messages.map(item));
    shown = new Map(messages.map((message) => [message.id, message.status]));
  }
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text); // there is no clipboard on pages from afar without TLS
    button.textContent = "Copied";
    byId("news").textContent = `Copied ${text}`;
  } catch {
    button.textContent = "Select it by hand";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function numberItem(entry) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${entry.number}`);
  button.addEventListener("click", () => copy(entry.number, button));
  const head = document.createElement("div");
  head.className = "number";
  head.append(paragraph("to", entry.number), button);
  const element = document.createElement("li");
  element.append(head, paragraph("behaviour", entry.behaviour.replaceAll("_", " ")), paragraph("text", entry.description));
  return element;
}

async function listNumbers() {
  try {
    const response = await fetch("numbers");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    byId("numbers").replaceChildren(...(await response.json()).map(numberItem));
  } catch {
    byId("trouble").hidden = false;
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
listNumbers();
poll();
