/** Forms whose errors stand at their fields: bound by aria-describedby, and the first one has the focus. */

import { fill, focusOn, h, newId } from "./dom.js";
import { explain } from "./refusals.js";

/** A labelled input. `optional` ones may stay empty; `beside` stands beside the label, `after` below all. */
export function field({ name, label, hint, optional = false, type = "text", after = null, beside = null, ...attributes }) {
  const id = newId(name);
  const input = h("input", {
    id, name, type,
    autocapitalize: type === "text" ? null : "none",
    spellcheck: "false",
    "aria-describedby": hint ? `${id}-hint` : null,
    "aria-required": optional ? null : "true",
    ...attributes,
  });
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const element = h(
    "div", { class: "field" },
    h("div", { class: "label-row" },
      h("label", { for: id }, label, optional ? h("span", { class: "optional" }, " optional") : null), beside),
    type === "password" ? h("div", { class: "with-button" }, input, revealButton(input, label)) : input,
    error,
    hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null,
    after,
  );
  const show = (message) => {
    error.textContent = message ?? "";
    error.hidden = !message;
    const described = [message ? error.id : null, hint ? `${id}-hint` : null].filter(Boolean).join(" ");
    if (described) input.setAttribute("aria-describedby", described);
    else input.removeAttribute("aria-describedby");
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  return { name, element, input, optional, show, get value() { return input.value; } };
}

/** A choice of several, as a list to drop down. */
export function choice({ name, label, options, value }) {
  const id = newId(name);
  const input = h("select", { id, name }, options.map(([key, text]) =>
    h("option", { value: key, selected: key === value }, text)));
  const element = h("div", { class: "field" }, h("label", { for: id }, label), input);
  return { name, element, input, optional: true, show() {}, get value() { return input.value; } };
}

export function checkbox({ name, label, hint }) {
  const id = newId(name);
  const input = h("input", { id, name, type: "checkbox", "aria-describedby": hint ? `${id}-hint` : null });
  const text = h("div", {}, h("label", { for: id }, label), hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null);
  return { name, element: h("div", { class: "check" }, input, text), input, get checked() { return input.checked; } };
}

/**
 * A form that sends itself once at a time. `send(values)` does the work; what it throws is shown, at its field
 * where there is one, unless `refused(error)` has taken care of it (returns true).
 */
export function form({ fields, action, send, refused = () => false, extras = [], danger = false }) {
  const trouble = h("div", { class: "trouble", role: "alert", hidden: true });
  const button = h("button", { class: danger ? "danger" : "primary" }, action);
  const element = h("form", { novalidate: true }, trouble, fields.map((each) => each.element), extras, button);
  let isBusy = false;

  const fail = (error) => {
    if (refused(error)) return;
    const { message, fields: atFields } = explain(error);
    const marked = fields.filter((each) => atFields[each.name]);
    for (const each of marked) each.show(atFields[each.name]);
    if (marked.length > 0) focusOn(marked[0].input);
    else tell(trouble, message);
  };

  const submit = async () => {
    if (isBusy) return;
    clear(fields, trouble);
    const unfit = fields.filter((each) => faultOf(each) !== null);
    for (const each of unfit) each.show(faultOf(each));
    if (unfit.length > 0) {
      focusOn(unfit[0].input);
      return;
    }
    isBusy = true;
    busy(element, button, true);
    try {
      await send(valuesOf(fields));
    } catch (error) {
      fail(error);
    } finally {
      isBusy = false;
      busy(element, button, false);
    }
  };
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  return { element, submit, button, fail };
}

/** A button that does something on its own, with its own place for what went wrong. */
export function actionButton({ label, work, className = "", describe = null, onError = null }) {
  const trouble = h("p", { class: "error", role: "alert", hidden: true });
  const button = h("button", { type: "button", class: className, "aria-label": describe }, label);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy")) return;
    trouble.hidden = true;
    button.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      if (onError?.(error)) return;
      tell(trouble, explain(error).message);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  return h("div", { class: "action" }, button, trouble);
}

/** What can be seen without asking the service: a field may have a `fault()` of its own. */
function faultOf(each) {
  if (!each.optional && !each.value.trim()) return "Fill this in.";
  return each.fault?.() ?? null;
}

function valuesOf(fields) {
  const filled = fields.filter((each) => each.value !== "" || !each.optional);
  return Object.fromEntries(filled.map((each) => [each.name, each.name.includes("password") ? each.value : each.value.trim()]));
}

function clear(fields, trouble) {
  trouble.hidden = true;
  for (const each of fields) each.show(null);
}

function busy(element, button, isBusy) {
  element.setAttribute("aria-busy", String(isBusy));
  button.setAttribute("aria-disabled", String(isBusy)); // disabled would lose the focus
}

function tell(trouble, message) {
  fill(trouble, message);
  trouble.hidden = false;
}

function revealButton(input, label) {
  const word = label.toLowerCase();
  const button = h("button", { type: "button", class: "reveal", "aria-label": `Show ${word}` }, "Show");
  button.addEventListener("click", () => {
    const isShown = input.type === "password";
    input.type = isShown ? "text" : "password";
    button.textContent = isShown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${word}`);
  });
  return button;
}
