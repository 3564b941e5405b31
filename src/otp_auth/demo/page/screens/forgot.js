import { h } from "../dom.js";
import { draft, keep } from "../draft.js";
import { field, form } from "../forms.js";
import { go } from "../navigation.js";
import { auth } from "../service.js";

export function forgot() {
  const { element } = form({
    fields: [field({
      name: "identifier", label: "Phone number or e-mail", value: draft().login ?? "",
      autocomplete: "username", inputmode: "email", autocapitalize: "none",
      hint: "The code goes to the phone of your account.",
    })],
    action: "Send me a code",
    async send({ identifier }) {
      keep({ login: identifier, password_reset: identifier });
      await auth.forgotPassword({ identifier });
      go("/code");
    },
  });
  return {
    title: "Forgotten password",
    element: [
      h("h1", {}, "Forgot your password?"),
      h("p", { class: "lead" }, "Prove your phone, then choose a new one."),
      element,
      h("p", { class: "other-way" }, "It came back to you? ", h("a", { href: "#/log-in" }, "Log in")),
    ],
  };
}
