import { h } from "../dom.js";
import { pages } from "../pages.js";
import { auth } from "../service.js";
import { exact, relative } from "../time.js";

const WORDS = {
  account_created: "Your account was created",
  login_succeeded: "You logged in",
  login_failed: "A login failed",
  code_sent: "A code was sent",
  send_refused: "A code was not sent",
  second_factor_failed: "A wrong code was entered",
  session_revoked: "A session was ended",
  logout: "You signed out",
  refresh_reuse: "A session was ended because its token was used twice",
  password_changed: "Your password was changed",
  password_reset_requested: "A new password was asked for",
  password_reset_held: "A new password was set and waits",
  password_reset_cancelled: "A new password was stopped",
  password_reset: "Your password was reset",
  phone_changed: "Your phone number was changed",
  factor_added: "A factor was added",
  factor_removed: "A factor was removed",
  factor_disabled: "A factor was shut off after many wrong codes",
  recovery_codes_regenerated: "New recovery codes were made",
  device_trusted: "A device was trusted",
  device_revoked: "A device is trusted no more",
  device_theft: "A device’s token was used twice: it may have been stolen",
  account_locked: "Your account was locked",
  account_unlocked: "Your account was unlocked",
};

/** Words for what `detail` says in the service's own. */
const DETAILS = {
  sms: "text message",
  voice: "phone call",
  whatsapp: "WhatsApp",
  flashcall: "missed call",
  totp: "authenticator app",
  recovery_code: "recovery code",
  too_many_attempts: "after too many wrong tries",
  enrolment: "setting up",
  register: "signing up",
  login: "logging in",
  step_up: "confirming that it’s you",
};

export function activity() {
  return {
    title: "Activity",
    element: [
      h("h1", {}, "Activity"),
      h("p", { class: "lead" }, "What happened in your account. If something here wasn’t you, change your password."),
      pages({ ask: (page) => auth.listEvents(page), row: eventRow, none: "Nothing yet." }),
    ],
  };
}

function eventRow({ name, at, address, detail }) {
  const details = Object.entries(detail).map(([key, value]) => about(key, value)).filter(Boolean);
  return h("li", {},
    h("div", {},
      h("h3", {}, title(name, detail)),
      h("p", { class: "hint" },
        [address ? `from ${address}` : null, ...details].filter(Boolean).join(" · "))),
    h("time", { class: "hint", datetime: at, title: exact(at) }, relative(at)));
}

/** The present password goes wrong where somebody changes it too: that is no login. */
function title(name, { purpose, reason }) {
  if (name === "login_failed" && purpose === "password_change") {
    return reason === "wrong_password" ? "A wrong present password was entered" : "A change of the password was refused";
  }
  return WORDS[name] ?? name.replaceAll("_", " ");
}

function about(key, value) {
  if (key.endsWith("_id")) return null;
  if (value === true) return key.replaceAll("_", " ");
  if (!["string", "number"].includes(typeof value)) return null;
  return DETAILS[value] ?? String(value).replaceAll("_", " ");
}
