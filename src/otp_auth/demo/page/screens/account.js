import { fill, h } from "../dom.js";
import { actionButton, choice, field, form } from "../forms.js";
import { loading } from "../loading.js";
import { go } from "../navigation.js";
import { auth } from "../service.js";
import { exact } from "../time.js";

const METHODS = [
  ["sms", "Text message"],
  ["voice", "Phone call"],
  ["whatsapp", "WhatsApp"],
  ["totp", "Authenticator app"],
];

export function account() {
  const element = loading(() => auth.getMe(), (user) => [resetWarning(user), facts(user), profileForm(user)]);
  return { title: "Profile", element: [h("h1", {}, "Profile"), element] };
}

function facts(user) {
  return h("dl", { class: "facts-list" },
    h("dt", {}, "Phone number"),
    h("dd", {}, user.phone_number, h("a", { class: "aside", href: "#/phone", "aria-label": "Change phone number" }, "Change")),
    h("dt", {}, "Member since"),
    h("dd", {}, h("time", { datetime: user.created_at }, exact(user.created_at))));
}

function profileForm(user) {
  const name = field({ name: "display_name", label: "Name", autocomplete: "name", optional: true, value: user.display_name ?? "" });
  const email = field({
    name: "email", label: "E-mail", type: "email", autocomplete: "email", optional: true, value: user.email ?? "",
    hint: "Another name to log in with. It isn’t verified.",
  });
  const options = METHODS.filter(([method]) => method !== "totp" || user.factors.includes("totp"));
  const preferred = choice({ name: "preferred_method", label: "Codes come by", options, value: user.preferred_method });
  return form({
    fields: [name, email, preferred],
    action: "Save",
    async send(values) {
      try {
        await auth.changeMe({ ...values, display_name: values.display_name || null, email: values.email || null });
        go("/account", { replace: true, say: "Saved." });
      } catch (error) {
        if (error.code !== "conflict") throw error;
        await tellConflict(values, email);
      }
    },
  }).element;
}

/** One refusal for two causes: an app that is gone, or an address that is taken. */
async function tellConflict({ preferred_method: preferred }, email) {
  const { factors } = await auth.getMe();
  if (preferred === "totp" && !factors.includes("totp")) {
    go("/account", { replace: true, say: "Nothing was saved: you have no authenticator app any more." });
    return;
  }
  email.show("Somebody else logs in with this address. Use another one.");
  email.input.focus();
}

/** Somebody has reset the password by the phone alone: the owner can stop it until it counts. */
function resetWarning({ password_reset_at: at }) {
  if (!at) return null;
  const box = h("div", { class: "trouble" });
  fill(box,
    h("p", {}, h("strong", {}, "A new password was set by phone. "), `It counts from ${exact(at)} on. If that wasn’t you, stop it.`),
    actionButton({
      label: "Stop the new password",
      async work() {
        await auth.cancelPasswordReset();
        go("/account", { replace: true, say: "Stopped: your password stays as it is." });
      },
    }));
  return box;
}
