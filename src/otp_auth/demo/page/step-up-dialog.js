/** The dialog for a step-up: whatever wanted a recent proof waits for it behind. */

import { codeEntry } from "./code-entry.js";
import { fill, focusOn, h } from "./dom.js";
import { explain } from "./refusals.js";
import { auth, onStepUp } from "./service.js";

let open = null; // {promise, close}

export function startStepUps() {
  onStepUp(() => askForStepUp());
  const dialog = document.getElementById("step-up");
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    cancelStepUp();
  });
}

/** Ask for a code; true once it was right. Whoever asks meanwhile waits for the same. */
export function askForStepUp({ isResumed = false } = {}) {
  open ??= begin(isResumed);
  return open.promise;
}

/** Not now: what waits for the proof is told that there is none. */
export function cancelStepUp() {
  open?.close(false);
}

function begin(isResumed) {
  const dialog = document.getElementById("step-up");
  const opener = document.activeElement;
  let entry = null;
  let close = null;
  const promise = new Promise((resolve) => {
    close = (isProved) => {
      entry?.dispose();
      if (!isProved && auth.state.pending?.purpose === "step_up") auth.abandon();
      open = null;
      dialog.close();
      fill(dialog);
      opener?.focus?.();
      resolve(isProved);
    };
  });
  const show = async () => {
    const pending = isResumed ? auth.state.pending : (await auth.stepUp()).pending;
    isResumed = false;
    if (!dialog.open) return;
    entry?.dispose();
    entry = codeEntry({
      level: "h2", pending,
      done: () => close(true),
      leave: () => close(false),
      again: show,
    });
    fill(dialog, entry.element);
    entry.focus();
  };
  fill(dialog, h("h2", { id: "step-up-heading" }, "Confirm that it’s you"), h("p", { class: "lead" }, "One moment …"));
  dialog.showModal();
  show().catch((error) => refuse(dialog, error, () => close(false)));
  return { promise, close };
}

function refuse(dialog, error, close) {
  const title = h("h2", { id: "step-up-heading" }, "Confirm that it’s you");
  fill(dialog, title, h("p", { class: "trouble", role: "alert" }, explain(error).message),
    h("button", { type: "button", class: "primary", click: close }, "Close"));
  focusOn(title);
}
