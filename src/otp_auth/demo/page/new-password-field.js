/** The field for a password to be chosen. How short it may be differs between services: a refusal says it. */

import { field } from "./forms.js";

export function newPasswordField(name, label) {
  return field({
    name, label, type: "password", autocomplete: "new-password",
    hint: "Make it long: a few words that don’t belong together are best.",
  });
}
