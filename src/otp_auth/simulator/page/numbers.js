import { copyButton } from "./copying.js";
import { byId, element } from "./elements.js";
import { numberLink } from "./filter.js";

const seen = new Set();
const descriptions = new Map();

// List the numbers with a behaviour of their own.
export async function listNumbers() {
  const response = await fetch("numbers");
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const numbers = await response.json();
  byId("numbers").replaceChildren(...numbers.map(numberItem));
  for (const entry of numbers) descriptions.set(entry.number, entry.description);
  suggest(numbers.map((entry) => entry.number));
}

// What the simulator does with messages to this number, if that is special.
export const descriptionOf = (number) => descriptions.get(number);

// Offer these numbers to whoever looks for one.
export function suggest(numbers) {
  for (const number of numbers) {
    if (seen.has(number)) continue;
    seen.add(number);
    const option = document.createElement("option");
    option.value = number;
    byId("known").append(option);
  }
}

function numberItem(entry) {
  const number = numberLink(entry.number);
  const behaviour = entry.behaviour.replaceAll("_", " ");
  return element(
    "li",
    "number",
    element("div", "head",
      element("p", "behaviour", behaviour[0].toUpperCase() + behaviour.slice(1)),
      number,
      copyButton(number, `${entry.number}, ${behaviour}`, false)),
    element("p", "quiet", entry.description),
  );
}
