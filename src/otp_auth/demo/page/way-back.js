import { h } from "./dom.js";

/** Whoever left the code's page finds the way there again. */
export function wayBackToCode() {
  return h("p", { class: "notice" }, "A code is waiting for you. ", h("a", { href: "#/code" }, "Enter it"));
}
