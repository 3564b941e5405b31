// Whose messages are shown. The address of the page says it, so that it can be linked and reloaded.
import { byId, element } from "./elements.js";

const PAUSE = 250; // milliseconds without typing
const field = byId("to");
let tell = () => {};
let current = fromAddress();

export const wantedNumber = () => current;

export function whenWanted(listener) {
  tell = listener;
}

// A link to the page of one number.
export function numberLink(number) {
  const made = element("a", "to", number);
  made.href = addressOf(number);
  made.title = `Only messages to ${number}`;
  made.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // wants a tab or window of its own
    event.preventDefault();
    want(number, "pushState");
    byId("messages-title").scrollIntoView({ block: "nearest" });
  });
  return made;
}

// People write numbers with all kinds of signs, and 00 for a plus. A plus in an address is a space.
function tidy(typed) {
  const digits = typed.replace(/\D/g, "");
  return digits ? `+${typed.trim().startsWith("00") ? digits.slice(2) : digits}` : "";
}

function fromAddress() {
  return tidy(new URLSearchParams(location.search).get("to") ?? "");
}

function addressOf(number) {
  return number ? `?to=${encodeURIComponent(number)}` : location.pathname;
}

function want(number, remember) {
  if (number === current) return;
  history[remember](null, "", addressOf(number));
  use(number);
}

function use(number) {
  current = number;
  if (document.activeElement !== field) field.value = number;
  byId("all").hidden = !number;
  tell();
}

let timer;
field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => want(tidy(field.value), "replaceState"), PAUSE);
});
byId("filter").addEventListener("submit", (event) => {
  event.preventDefault();
  want(tidy(field.value), "replaceState");
});
byId("all").addEventListener("click", () => {
  field.value = "";
  field.focus(); // the button goes away
  want("", "pushState");
});
addEventListener("popstate", () => { field.value = fromAddress(); use(fromAddress()); });
field.value = current;
byId("all").hidden = !current;
