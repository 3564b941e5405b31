/** The side panel: each request and its answer, and how the refresh token is kept. */

import { copy } from "./clipboard.js";
import { announce, fill, h, newId } from "./dom.js";
import { mayLeave } from "./navigation.js";
import { asCurl } from "./secrets.js";
import { changeTransport, transport } from "./service.js";
import { clearTrace, onTrace, seen } from "./trace.js";

const FOLDED = "otp-auth-demo.panel";
const TRANSPORTS = [
  ["body", "In this page’s storage", "refresh_token comes in the body"],
  ["cookie", "In a cookie", "HttpOnly: no script can read it"],
];
const WIDE = matchMedia("(min-width: 60rem)");
const opened = new Set(); // entries that somebody has unfolded

export function startPanel() {
  const panel = document.getElementById("panel");
  const button = document.getElementById("panel-switch");
  const list = h("ol", { class: "exchanges" });
  const empty = h("p", { class: "hint" }, "What this page asks the service appears here.");
  fill(panel,
    h("div", { class: "panel-head" },
      h("h2", {}, "Requests"),
      h("button", { type: "button", class: "quiet", click: () => { clearTrace(); announce("The list is empty."); } }, "Clear")),
    transportChoice(), empty, list);
  const isWanted = () => (localStorage.getItem(FOLDED) ?? (WIDE.matches ? "open" : "folded")) === "open";
  const show = () => {
    panel.hidden = !isWanted();
    button.setAttribute("aria-expanded", String(isWanted()));
  };
  button.addEventListener("click", () => {
    localStorage.setItem(FOLDED, isWanted() ? "folded" : "open");
    show();
    if (isWanted() && !WIDE.matches) panel.scrollIntoView({ block: "start" });
  });
  const draw = () => {
    empty.hidden = seen().length > 0;
    redraw(list);
  };
  WIDE.addEventListener("change", show);
  onTrace(draw);
  show();
  draw();
}

/** Entries that stay the same stay in place: who reads one isn't disturbed by the next. */
function redraw(list) {
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const items = seen().toReversed().map((exchange) => {
    const key = `${exchange.id}/${exchange.times}/${exchange.done ? 1 : 0}`;
    return before.get(key) ?? entry(exchange, key);
  });
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  list.replaceChildren(...items);
  if (focused) list.querySelector(`[data-focus="${focused}"]`)?.focus();
}

function entry(exchange, key) {
  const details = h("details", { open: opened.has(exchange.id) },
    h("summary", { "data-focus": `summary-${exchange.id}` },
      h("span", { class: "method" }, exchange.method),
      h("span", { class: "path" }, exchange.path.replace("/api/v1", "")),
      exchange.times > 1 ? h("span", { class: "times" }, `×${exchange.times}`) : null,
      h("span", { class: `status ${kind(exchange)}` }, status(exchange))),
    h("div", { class: "exchange" }, about(exchange), copyButton(exchange)));
  details.addEventListener("toggle", () => {
    if (details.open) opened.add(exchange.id);
    else opened.delete(exchange.id);
  });
  return h("li", { "data-key": key }, details);
}

function about(exchange) {
  const { at, took, hasToken, isCookie, body, headers, answer } = exchange;
  const sent = [
    hasToken ? "Authorization: Bearer …" : null,
    isCookie ? "X-Token-Transport: cookie" : null,
  ].filter(Boolean);
  const got = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [
    h("p", { class: "hint" }, `${at.toLocaleTimeString()}${took === undefined ? "" : ` · ${took} ms`}`),
    part("Request", sent, body),
    part("Answer", got, answer),
  ];
}

function part(title, headers, body) {
  if (headers.length === 0 && body === null) return null;
  const id = newId("part");
  const json = body === null ? [] : [JSON.stringify(body, null, 2)];
  return [
    h("h3", { id }, title),
    // To be scrolled by the keyboard too.
    h("pre", { tabindex: "0", role: "region", "aria-labelledby": id }, [...headers, ...json].join("\n")),
  ];
}

function copyButton(exchange) {
  const button = h("button", { type: "button", class: "quiet", "data-focus": `copy-${exchange.id}` }, "Copy as curl");
  button.addEventListener("click", () => copy(asCurl(exchange, location.origin), button));
  return button;
}

function status({ done, failed, status: code }) {
  if (failed) return "no answer";
  return done ? String(code) : "…";
}

function kind({ failed, status: code }) {
  if (failed || code >= 500) return "broken";
  return code >= 400 ? "refused" : "good";
}

function transportChoice() {
  const name = newId("transport");
  const choose = (value) => {
    if (mayLeave()) changeTransport(value);
    else for (const { firstChild: input } of options) input.checked = input.value === transport;
  };
  const options = TRANSPORTS.map(([value, label, hint]) => {
    const input = h("input", { type: "radio", name, value, checked: value === transport, change: () => choose(value) });
    return h("label", { class: "option" }, input, h("span", {}, label, h("span", { class: "hint" }, hint)));
  });
  return h("fieldset", { class: "transport" },
    h("legend", {}, "The refresh token is kept"), options,
    h("p", { class: "hint" }, "A change signs you out here."));
}
