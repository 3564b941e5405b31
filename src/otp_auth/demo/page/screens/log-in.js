import { h } from "../dom.js";
import { draft, keep } from "../draft.js";
import { field, form } from "../forms.js";
import { go } from "../navigation.js";
import { auth } from "../service.js";
import { wayBackToCode } from "../way-back.js";

export function logIn({ pending }) {
  const identifier = field({
    name: "identifier", label: "Phone number or e-mail", value: draft().login ?? "",
    autocomplete: "username", inputmode: "email", autocapitalize: "none",
  });
  const password = field({
    name: "password", label: "Password", type: "password", autocomplete: "current-password",
    after: h("a", { class: "beside", href: "#/forgot" }, "Forgot your password?"),
  });
  const { element } = form({
    fields: [identifier, password],
    action: "Log in",
    async send(values) {
      keep({ login: values.identifier });
      const step = await auth.logIn(values);
      go(step.status === "authenticated" ? "/account" : "/code", { replace: step.status === "authenticated" });
    },
  });
  return {
    title: "Log in",
    element: [
      h("h1", {}, "Log in"), pending ? wayBackToCode() : null, element,
      h("p", { class: "other-way" }, "New here? ", h("a", { href: "#/sign-up" }, "Create an account")),
    ],
  };
}
