import { h } from "../dom.js";
import { draft, keep } from "../draft.js";
import { field, form } from "../forms.js";
import { go } from "../navigation.js";
import { auth } from "../service.js";
import { wayBackToCode } from "../way-back.js";

export function phone({ session, pending }) {
  const { element } = form({
    fields: [field({
      name: "phone_number", label: "New phone number", type: "tel", autocomplete: "tel", value: draft().phone_change ?? "",
      hint: "With + and the country code. A code goes there now.",
    })],
    action: "Send a code",
    async send({ phone_number }) {
      keep({ phone_change: phone_number });
      await auth.changePhone({ phone_number });
      go("/code");
    },
  });
  return {
    title: "Change phone number",
    element: [
      h("h1", {}, "Change phone number"),
      pending?.purpose === "phone_change" ? wayBackToCode() : null,
      h("p", { class: "lead" }, `Now it is ${session.user.phone_number}. Nothing changes until the new phone has answered.`),
      element,
    ],
  };
}
