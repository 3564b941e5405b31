import { announce } from "./dom.js";

/** Copy, and say so on the button. Where there is no clipboard, say that. */
export async function copy(text, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text); // none on pages from afar without TLS
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it by hand";
  }
  announce(button.textContent);
  setTimeout(() => { button.textContent = label; }, 2000);
}
