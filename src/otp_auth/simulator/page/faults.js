import { announce, byId, element } from "./elements.js";

// What can go wrong with each kind of call: in a word for the list, and what that means.
const WITH_REQUESTS = {
  status: ["fail", "Nothing is done, and the answer is this HTTP status, or Sinch's error of this five-digit code."],
  delay: ["are slow", "The work begins so many seconds late."],
  drop_before: ["get lost", "Nothing is done, and the connection breaks off."],
  drop_after: ["lose their answer", "All is done, then the connection breaks off."],
  garbage: ["answer garbage", "All is done, but the answer is no JSON."],
};
const CALLS = {
  start: ["Starts", "when a code is asked for", {
    ...WITH_REQUESTS,
    undelivered: ["deliver nothing", "All is done, but the delivery fails."],
  }],
  report: ["Reports", "when a code is tried", WITH_REQUESTS],
  callback: ["Callbacks", "when Sinch calls back", {
    status: ["fail", "They are sent, and their answer is taken as this HTTP status."],
    delay: ["are late", "They are sent so many seconds late."],
    drop_before: ["are not sent", "A start goes on as if there were no callback address."],
    drop_after: ["lose their answer", "They are sent, and no answer comes back."],
    garbage: ["are damaged", "They are sent without their last byte: the signature is wrong."],
    undelivered: ["stop at the first", "Only what a start asks is sent, and nothing of what came of it."],
    repeat: ["come twice", "They are sent twice, and the first answer counts."],
  }],
};
// Label, what stands there first, least and most.
const DELAY = ["Seconds", 3, 0, 600];
const REQUEST_VALUES = { status: ["Status", 503, 200, 60000], delay: DELAY };
const VALUES = {
  start: REQUEST_VALUES,
  report: REQUEST_VALUES,
  callback: { status: ["Status", 503, 200, 599], delay: DELAY },
};
const rows = new Map();

// Show which faults are in force, however they came to be.
export function showFaults(faults) {
  const inForce = new Map(faults.map((fault) => [fault.on, fault]));
  for (const [call, row] of rows) row.show(inForce.get(call));
  byId("warning").hidden = !faults.length;
  byId("warning-words").textContent = `${faults.map(sentence).join("; ")}.`;
}

function sentence({ on, kind, value, times }) {
  const [name, , kinds] = CALLS[on];
  const exactly = { status: ` with ${value}`, delay: `, by ${value} s` }[kind] ?? "";
  const often = times ? `, ${times === 1 ? "once more" : `${times} times more`}` : "";
  return `${name.toLowerCase()} ${kinds[kind][0]}${exactly}${often}`;
}

function newRow(call, [name, when, kinds]) {
  const fields = newFields(call, name, kinds);
  const toggle = document.createElement("input");
  Object.assign(toggle, { type: "checkbox", className: "switch" });
  toggle.setAttribute("role", "switch");
  const problem = element("p", "problem");
  problem.setAttribute("role", "alert");
  const item = element(
    "li",
    "fault",
    element("label", "title", element("span", "words", element("strong", "", name), ` ${when}`), toggle),
    fields.group,
    fields.meaning,
    problem,
  );

  async function send() {
    const fault = fields.read();
    problem.textContent = (await (toggle.checked ? put(fault) : clear(call))) ?? "";
    if (problem.textContent) toggle.checked = item.classList.contains("on");
    else announce(toggle.checked ? `On: ${sentence(fault)}` : `Off: ${name}`);
  }
  toggle.addEventListener("change", send);
  fields.group.addEventListener("change", () => { if (toggle.checked) send(); });

  function show(fault) {
    toggle.checked = Boolean(fault);
    item.classList.toggle("on", Boolean(fault));
    if (fault && !fields.group.contains(document.activeElement)) fields.write(fault);
  }
  return { item, show };
}

// What goes wrong, by how much and how often.
function newFields(call, name, kinds) {
  const choice = element("select", "", ...Object.entries(kinds).map(([kind, [words]]) => new Option(words, kind)));
  const value = numberField();
  const times = numberField({ min: 1, step: 1, placeholder: "∞" });
  const valueLabel = element("label", "small", element("span", ""), value);
  const meaning = element("p", "meaning");
  const group = element("div", "fields",
    element("label", "wide", element("span", "", "They"), choice),
    valueLabel,
    element("label", "small", element("span", "", "Times"), times));
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", name);

  function fit() {
    const [words, preset, min, max] = VALUES[call][choice.value] ?? [];
    valueLabel.hidden = !words;
    if (words) Object.assign(value, { value: preset, min, max, step: choice.value === "status" ? 1 : "any" });
    valueLabel.firstChild.textContent = words ?? "";
    meaning.textContent = kinds[choice.value][1];
  }
  choice.addEventListener("change", fit); // before the group hears of it
  fit();

  function read() {
    const fault = { on: call, kind: choice.value };
    if (!valueLabel.hidden) fault.value = value.valueAsNumber;
    if (times.value) fault.times = times.valueAsNumber;
    return fault;
  }

  function write(fault) {
    choice.value = fault.kind;
    fit();
    value.value = fault.value ?? value.value;
    times.value = fault.times ?? "";
  }
  return { group, meaning, read, write };
}

function numberField(more = {}) {
  const made = document.createElement("input");
  return Object.assign(made, { type: "number", inputMode: "decimal" }, more);
}

const put = (fault) => askFor("faults", { method: "PUT", body: JSON.stringify(fault) });
const clear = (call) => askFor(`faults?on=${call}`, { method: "DELETE" });

// Returns what went wrong, in words, or nothing.
async function askFor(path, request) {
  try {
    const response = await fetch(path, request);
    if (response.status === 422) return (await response.json()).detail[0].problem;
    return response.ok ? undefined : `The simulator answers ${response.status}.`;
  } catch {
    return "The simulator does not answer.";
  }
}

byId("well").addEventListener("click", async () => {
  if (await askFor("faults", { method: "DELETE" })) return;
  byId("faults-title").focus({ preventScroll: true }); // the button goes away
  announce("All is well again");
});
for (const [call, about] of Object.entries(CALLS)) rows.set(call, newRow(call, about));
byId("faults").append(...[...rows.values()].map((row) => row.item));
