import { h } from "../dom.js";
import { actionButton } from "../forms.js";
import { loading } from "../loading.js";
import { go } from "../navigation.js";
import { auth } from "../service.js";
import { relative } from "../time.js";

export function security() {
  const element = loading(() => auth.listFactors(), (factors) => {
    const of = Object.fromEntries(factors.map((factor) => [factor.method, factor]));
    return h("ul", { class: "rows" }, passwordRow(), phoneRow(of.sms), appRow(of.totp), codesRow(of.recovery_code));
  });
  return { title: "Security", element: [h("h1", {}, "Security"), element] };
}

function row(title, state, ...actions) {
  return h("li", {}, h("div", {}, h("h2", {}, title), h("p", { class: "hint" }, state)), h("div", { class: "row-actions" }, actions));
}

function passwordRow() {
  return row("Password", "Asked for at each login.", h("a", { class: "button", href: "#/password", "aria-label": "Change password" }, "Change"));
}

function phoneRow(factor) {
  return row("Phone", `Codes go to ${factor.destination}.${off(factor)}`,
    h("a", { class: "button", href: "#/phone", "aria-label": "Change phone number" }, "Change"));
}

function appRow(factor) {
  if (!factor) {
    return row("Authenticator app", "Safer than messages, and works without a network.",
      h("a", { class: "button", href: "#/authenticator", "aria-label": "Set up authenticator app" }, "Set up"));
  }
  return row("Authenticator app", `On since ${relative(factor.created_at)}. ${used(factor)}${off(factor)}`, actionButton({
    label: "Remove",
    describe: "Remove authenticator app",
    async work() {
      await auth.removeTotp();
      go("/security", { replace: true, say: "The app is removed: codes come to your phone." });
    },
  }));
}

function codesRow(factor) {
  const state = factor ? `For the day your phone is gone. ${used(factor)}` : "You have none left. Make new ones.";
  return row("Recovery codes", state,
    h("a", { class: "button", href: "#/recovery-codes", "aria-label": "Make new recovery codes" }, "Make new"));
}

function used({ last_used_at: at }) {
  return at ? `Last used ${relative(at)}.` : "Not used yet.";
}

function off({ disabled }) {
  return disabled ? " Shut off after many wrong codes: prove another factor, and it is back." : "";
}
