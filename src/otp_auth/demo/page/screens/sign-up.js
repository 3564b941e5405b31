import { h } from "../dom.js";
import { draft, keep } from "../draft.js";
import { field, form } from "../forms.js";
import { go } from "../navigation.js";
import { newPasswordField } from "../new-password-field.js";
import { auth } from "../service.js";

const LANGUAGE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

export function signUp() {
  const { element } = form({
    fields: [
      field({
        name: "phone_number", label: "Phone number", type: "tel", autocomplete: "tel", value: draft().register ?? "",
        hint: "With + and the country code. A code goes there now, and at each login.",
      }),
      newPasswordField("password", "Password"),
      field({ name: "display_name", label: "Name", autocomplete: "name", optional: true }),
      field({ name: "email", label: "E-mail", type: "email", autocomplete: "email", optional: true, hint: "To log in with, if you like." }),
    ],
    action: "Create account",
    async send(values) {
      keep({ register: values.phone_number, login: values.phone_number });
      await auth.register({ ...values, ...language() });
      go("/code");
    },
  });
  return {
    title: "Create an account",
    element: [
      h("h1", {}, "Create an account"), element,
      h("p", { class: "other-way" }, "Have one already? ", h("a", { href: "#/log-in" }, "Log in")),
    ],
  };
}

/** The messages come in it. */
function language() {
  return LANGUAGE.test(navigator.language) ? { locale: navigator.language } : {};
}
