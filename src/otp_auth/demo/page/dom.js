/** Builds elements. Text is only ever text: nothing here makes markup out of data. */

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...present(children));
  return element;
}

/** Put these in place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
}

/** Focus what isn't a control, such as a heading: screen readers read it, Tab goes on from there. */
export function focusOn(element) {
  if (!element.matches("a[href], button, input, select, textarea")) element.tabIndex = -1;
  element.focus();
}

/** Have screen readers say this, without anything moving. */
export function announce(text) {
  document.getElementById("news").textContent = text;
}

/** Set text only where it is another one: live regions speak at every change. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let made = 0;

/** An id that no other element has. */
export function newId(name) {
  made += 1;
  return `${name}-${made}`;
}

function set(element, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (typeof value === "function") element.addEventListener(name, value);
  else element.setAttribute(name, value === true ? "" : value);
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
