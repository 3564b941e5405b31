import { copy } from "../clipboard.js";
import { h } from "../dom.js";
import { download } from "../download.js";
import { actionButton } from "../forms.js";
import { askBeforeLeaving, go } from "../navigation.js";
import { auth } from "../service.js";

/** In memory alone: after a reload they are gone, and new ones can be made. */
let fresh = null;

export function showOnce(codes) {
  fresh = codes;
}

export function recoveryCodes() {
  const codes = fresh;
  fresh = null;
  askBeforeLeaving(codes ? "These recovery codes are shown only now. Leave without having kept them?" : null);
  return {
    title: "Recovery codes",
    element: [h("h1", {}, "Recovery codes"), codes ? sheet(codes) : gone()],
    dispose: () => askBeforeLeaving(null),
  };
}

function sheet(shown) {
  const text = shown.join("\n");
  const copyButton = h("button", { type: "button", click: () => copy(text, copyButton) }, "Copy");
  return [
    h("p", { class: "lead" }, "Keep these where you find them when your phone is gone. Each works once. They are shown only now."),
    h("ol", { class: "recovery-codes" }, shown.map((code) => h("li", {}, h("code", {}, code)))),
    h("div", { class: "buttons" }, copyButton,
      h("button", { type: "button", click: () => download("recovery-codes.txt", `${text}\n`, "text/plain") }, "Download"),
      h("a", { class: "button primary", href: "#/account", click: () => askBeforeLeaving(null) }, "I have kept them")),
  ];
}

function gone() {
  return [
    h("p", { class: "lead" }, "Recovery codes are shown once, when they are made. If you haven’t kept yours, make new ones: the old ones are void then."),
    actionButton({
      label: "Make new codes", className: "primary",
      async work() {
        showOnce(await auth.renewRecoveryCodes());
        go("/recovery-codes", { replace: true, say: "The codes from before are void." });
      },
    }),
  ];
}
