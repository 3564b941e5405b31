// Addresses are relative to the page, so that it works at the root and under a mount's prefix.
import { announce, byId } from "./elements.js";
import { showFaults } from "./faults.js";
import { wantedNumber, whenWanted } from "./filter.js";
import { forgetMessages, showMessages } from "./messages.js";
import { descriptionOf, listNumbers, suggest } from "./numbers.js";

const SHOWN = 100; // as many as the stream tells
const AGAIN = 1000; // milliseconds until the next try
const TOO_QUIET = 40000; // milliseconds: the stream speaks at least every 15 seconds
const STATES = { waiting: "Connecting…", live: "Live", lost: "No answer. Trying again…" };
let source = null;
let timer;

// A browser keeps few connections to one host: a page that nobody sees gives its own back.
function listen() {
  stop();
  if (document.hidden) return;
  const number = wantedNumber();
  source = new EventSource(number ? `stream?to=${encodeURIComponent(number)}` : "stream");
  source.addEventListener("messages", heard((messages) => show(messages)));
  source.addEventListener("faults", heard(showFaults));
  source.addEventListener("beat", stands);
  source.addEventListener("error", lose);
  timer = setTimeout(listen, TOO_QUIET);
}

function stop() {
  source?.close();
  clearTimeout(timer);
}

const heard = (use) => (event) => {
  stands();
  use(JSON.parse(event.data));
};

function stands() {
  say("live");
  needNumbers();
  clearTimeout(timer);
  timer = setTimeout(listen, TOO_QUIET); // a sleeping computer's connection may be gone without a word
}

function lose() {
  stop(); // whether the browser itself would try again depends on how the connection was lost
  if (byId("connection").dataset.state !== "lost") announce("The simulator does not answer. Is it still running?");
  say("lost");
  timer = setTimeout(listen, AGAIN);
}

async function needNumbers() {
  if (byId("numbers").children.length) return;
  try {
    await listNumbers();
  } catch {
    // The stream says how things stand; once it does well, this is tried again.
  }
}

function say(state) {
  byId("connection").dataset.state = state;
  byId("connection").textContent = STATES[state];
}

function show(messages) {
  showMessages(messages);
  suggest(messages.map((message) => message.to));
  byId("more").hidden = messages.length < SHOWN;
  sayNothing(messages.length === 0);
}

function sayNothing(isEmpty) {
  const number = wantedNumber();
  byId("nothing").hidden = !isEmpty;
  byId("nothing-title").textContent = number ? `Nothing to ${number}` : "Nothing yet";
  byId("nothing-words").textContent =
    (number && descriptionOf(number)) || "Ask for a code, and it appears here by itself.";
}

byId("empty").addEventListener("click", async () => {
  try {
    const response = await fetch("messages", { method: "DELETE" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    announce("The inbox is empty.");
  } catch {
    lose();
  }
});
whenWanted(() => { forgetMessages(); listen(); });
addEventListener("visibilitychange", listen);
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
await needNumbers();
listen();
