import { h } from "../dom.js";
import { field, form } from "../forms.js";
import { go } from "../navigation.js";
import { newPasswordField } from "../new-password-field.js";
import { auth } from "../service.js";

export function password({ session }) {
  const { element } = form({
    fields: [
      field({ name: "current_password", label: "Present password", type: "password", autocomplete: "current-password" }),
      newPasswordField("new_password", "New password"),
    ],
    // For password managers: whose password it is.
    extras: [h("input", { type: "text", autocomplete: "username", value: session.user.phone_number, hidden: true })],
    action: "Change password",
    async send(values) {
      await auth.changePassword(values);
      go("/security", { replace: true, say: "Your password is changed. All other sessions and trusted devices have ended." });
    },
  });
  return {
    title: "Change password",
    element: [
      h("h1", {}, "Change password"),
      h("p", { class: "lead" }, "You stay signed in here. Everywhere else you will be asked for the new one."),
      element,
    ],
  };
}
