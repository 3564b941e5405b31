import { copyButton } from "./copying.js";
import { announce, byId, element, icon } from "./elements.js";
import { numberLink } from "./filter.js";

const METHODS = { sms: "Text message", callout: "Phone call", flashcall: "Flash call", whatsapp: "WhatsApp" };
const ICONS = { sms: "sms", callout: "call", flashcall: "flash", whatsapp: "chat" };
const STATUSES = {
  sent: ["sent", "On its way"],
  delivered: ["done", "Delivered"],
  failed: ["failed", "Not delivered"],
};
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const A_CALLERS_NUMBER = 8; // characters: longer than any code
const AGES_EVERY = 10000; // milliseconds
const ages = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const list = byId("messages");
let items = new Map(); // by the message's id
let isFirst = true; // what was there before the page is no news

// Show these messages, newest first. Elements of messages that stay are left alone, and so is the focus in them.
export function showMessages(messages) {
  const before = items;
  items = new Map(messages.map((message) => [message.id, before.get(message.id) ?? newItem(message)]));
  for (const [id, item] of before) if (!items.has(id)) remove(item);
  messages.forEach((message, place) => {
    const item = items.get(message.id);
    if (list.children[place] !== item.element) list.insertBefore(item.element, list.children[place] ?? null);
    update(item, message);
  });
  if (!isFirst) tell(messages.filter((message) => !before.has(message.id)));
  isFirst = false;
}

// Another list follows: what it begins with is no news either.
export function forgetMessages() {
  isFirst = true;
}

function newItem(message) {
  const code = element("p", message.code.length > A_CALLERS_NUMBER ? "code long" : "code", message.code);
  const age = element("time", "age");
  const exact = element("time", "exact", new Date(message.created_at).toLocaleTimeString());
  exact.title = new Date(message.created_at).toLocaleString();
  age.dateTime = exact.dateTime = message.created_at;
  const status = element("span", "status");
  const method = METHODS[message.method] ?? message.method;
  const item = element(
    "li",
    isFirst ? "card" : "card fresh",
    element("div", "head", icon(ICONS[message.method] ?? "sms"), numberLink(message.to), age),
    element("div", "body", code, copyButton(code, `the code ${message.code}`)),
    element("p", "text", message.text),
    element("p", "about", element("span", "method", method), exact, status),
  );
  item.dataset.message = message.id;
  const made = { element: item, age, status, createdAt: Date.parse(message.created_at), state: null };
  tellAge(made);
  return made;
}

function update(item, message) {
  if (item.state === message.status) return;
  item.state = message.status;
  const [name, words] = STATUSES[message.status] ?? ["sent", message.status];
  item.status.className = `status ${message.status}`;
  item.status.replaceChildren(icon(name), words);
}

function remove(item) {
  if (item.element.contains(document.activeElement)) byId("messages-title").focus();
  item.element.remove();
}

function tell(fresh) {
  if (!fresh.length) return;
  const others = fresh.length > 1 ? `, and ${fresh.length - 1} more` : "";
  announce(`New for ${fresh[0].to}: code ${[...fresh[0].code].join(" ")}${others}`);
}

function tellAge(item) {
  const seconds = Math.max(0, (Date.now() - item.createdAt) / 1000);
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? [];
  const words = unit ? ages.format(-Math.floor(seconds / length), unit) : "just now";
  if (item.age.textContent !== words) item.age.textContent = words;
}

setInterval(() => { for (const item of items.values()) tellAge(item); }, AGES_EVERY);
