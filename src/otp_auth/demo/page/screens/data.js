import { h } from "../dom.js";
import { download } from "../download.js";
import { actionButton, field, form } from "../forms.js";
import { go, holdPage } from "../navigation.js";
import { auth } from "../service.js";

const WORD = "delete";

export function data() {
  return {
    title: "Your data",
    element: [
      h("h1", {}, "Your data"),
      h("p", { class: "lead" }, "All that is stored about you, in one file."),
      actionButton({
        label: "Download my data",
        async work() {
          download("my-data.json", JSON.stringify(await auth.exportMe(), null, 2), "application/json");
        },
      }),
      h("h2", {}, "Delete account"),
      h("p", { class: "lead" }, "At once and for good: your sessions end, and what is personal is gone."),
      deletion(),
    ],
  };
}

function deletion() {
  const word = field({ name: "word", label: `Type “${WORD}”`, autocomplete: "off", autocapitalize: "none" });
  return form({
    fields: [word],
    action: "Delete my account",
    danger: true,
    async send(values) {
      if (values.word.toLowerCase() !== WORD) {
        word.show(`Type the word “${WORD}” to go on.`);
        word.input.focus();
        return;
      }
      await holdPage(() => auth.deleteMe());
      go("/log-in", { replace: true, say: "Your account is deleted." });
    },
  }).element;
}
