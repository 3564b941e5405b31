import { announce, button, icon } from "./elements.js";

const FEEDBACK = 2000; // milliseconds
const KEYS = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘C" : "Ctrl+C";

// A button that copies the text of `source`; `what` says which, for those who hear it. With `words` it says "Copy".
export function copyButton(source, what, words = true) {
  const made = button(words ? "copy" : "copy bare", "");
  const rest = () => say(made, "ready", what, words && "Copy", "Copy");
  let timer;
  rest();
  made.addEventListener("click", async () => {
    if (await copy(source)) {
      say(made, "done", what, words && "Copied", "Copied");
      announce(`Copied ${what}`);
    } else {
      say(made, "refused", what, KEYS, `Press ${KEYS} to copy`);
      announce(`The browser refused. The text is selected: press ${KEYS}`);
    }
    clearTimeout(timer);
    timer = setTimeout(rest, FEEDBACK);
  });
  return made;
}

// What is heard has the words that are seen in it, for those who operate the page by voice.
function say(made, state, what, seen, heard) {
  made.dataset.state = state;
  made.replaceChildren(icon(state === "done" ? "done" : "copy"), seen || "");
  made.setAttribute("aria-label", `${heard} ${what}`);
}

// Pages from afar without TLS have no clipboard, and anybody may refuse it: then the text is selected.
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return false;
  }
}
