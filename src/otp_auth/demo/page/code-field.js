/** The one field for a code: takes what phones and people paste, and says when it is complete. */

import { field } from "./forms.js";

const LENGTH_OF_APP_CODES = 6;

/** `complete()` is called once for each code that is whole; where the length isn't known, never. */
export function codeField({ label, method, challenge, beside, complete }) {
  const { length, keyboard } = shapeOf(method, challenge);
  const isRecovery = method === "recovery_code";
  const made = field({
    name: "code",
    label,
    beside,
    class: isRecovery ? "code long" : "code",
    autocomplete: isRecovery ? "off" : "one-time-code",
    inputmode: keyboard,
    autocapitalize: isRecovery ? "characters" : "none",
    size: length ?? null,
  });
  let sent = "";
  made.input.addEventListener("input", () => {
    if (isRecovery) return;
    const code = plain(made.input.value);
    if (code !== made.input.value) made.input.value = code;
    made.show(null);
    if (code.length === length && code !== sent) {
      sent = code;
      complete();
    }
  });
  made.clear = () => {
    made.input.value = "";
    sent = "";
  };
  // Each wrong code costs a try: one that can't be right isn't sent.
  made.fault = () => length && made.value.length !== length ? `${length} ${keyboard === "numeric" ? "digits" : "characters"}, please.` : null;
  return Object.defineProperty(made, "value", { get: () => isRecovery ? made.input.value.trim() : plain(made.input.value) });
}

/** "Your code: 123 456" is pasted as 123456; a caller's number keeps its plus. */
function plain(text) {
  const digits = /(?:\d[\s-]?){4,}/.exec(text);
  const isSentence = /[A-Za-z]{2,}.*\s/.test(text) && digits;
  return (isSentence ? digits[0] : text).replace(/[^\w+]/g, "");
}

const KEYBOARDS = { numeric: "numeric", alphanumeric: "text", caller_id: "tel" };

function shapeOf(method, challenge) {
  if (method === "totp") return { length: LENGTH_OF_APP_CODES, keyboard: "numeric" };
  if (method === "recovery_code") return { length: null, keyboard: "text" };
  return { length: challenge.code_length, keyboard: KEYBOARDS[challenge.code_type] };
}
