import { fill, h } from "./dom.js";
import { actionButton } from "./forms.js";
import { explain } from "./refusals.js";

/** What `ask()` brings, drawn by `draw`; meanwhile a word, and after a failure a way to ask again. */
export function loading(ask, draw) {
  const element = h("div", { class: "loading", "aria-busy": "true" }, h("p", { class: "hint" }, "Loading …"));
  const show = async () => {
    fill(element, draw(await ask()));
    element.removeAttribute("aria-busy");
  };
  const start = async () => {
    try {
      await show();
    } catch (error) {
      element.removeAttribute("aria-busy");
      fill(element,
        h("p", { class: "trouble", role: "alert" }, explain(error).message),
        actionButton({ label: "Try again", work: show }));
    }
  };
  void start();
  return element;
}
