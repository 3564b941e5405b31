import { codeEntry } from "../code-entry.js";
import { h } from "../dom.js";
import { endCode, go } from "../navigation.js";
import { auth } from "../service.js";
import { showOnce } from "./recovery-codes.js";

const BACK = { register: "/sign-up", login: "/log-in", phone_change: "/phone", password_reset: "/forgot" };

export function code({ pending }) {
  const { purpose } = pending;
  const entry = codeEntry({
    level: "h1",
    pending,
    done: (verified) => goOn(verified),
    leave() {
      auth.abandon();
      go(BACK[purpose]);
    },
  });
  return {
    title: "Enter the code",
    element: h("div", {}, entry.element),
    focus: entry.focus,
    dispose() {
      entry.dispose();
      endCode(null);
    },
  };
}

/** With `replace`: there is no way back into a code that was used. */
function goOn(verified) {
  if (verified.status === "reset_allowed") {
    go("/new-password", { replace: true });
  } else if (verified.status === "phone_changed") {
    go("/account", { replace: true, say: "Your phone number is changed." });
  } else if (verified.recovery_codes) {
    showOnce(verified.recovery_codes);
    go("/recovery-codes", { replace: true, say: "Your account is ready." });
  } else {
    go("/account", { replace: true });
  }
}
