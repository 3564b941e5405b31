import { copy } from "../clipboard.js";
import { fill, focusOn, h } from "../dom.js";
import { dropEnrolment, heldEnrolment, holdEnrolment } from "../enrolment.js";
import { actionButton, checkbox, field, form } from "../forms.js";
import { go, here } from "../navigation.js";
import { auth } from "../service.js";

const PATH = "/authenticator";
const GROUPS = /.{1,4}/g;

export function authenticator() {
  const body = h("div");
  const begin = async () => {
    const enrolment = await auth.enrolTotp();
    if (here() !== PATH) return; // gone on meanwhile
    holdEnrolment(enrolment);
    fill(body, setUp(enrolment));
    focusOn(body.querySelector("h2"));
  };
  const held = heldEnrolment();
  fill(body, held ? setUp(held) : invitation(begin));
  return { title: "Authenticator app", element: [h("h1", {}, "Authenticator app"), body], dispose: leave };
}

/** Drawn anew, as after a step-up, the screen isn't left. */
function leave() {
  if (here() !== PATH) dropEnrolment();
}

function invitation(begin) {
  return [
    h("p", { class: "lead" }, "An app on your phone shows a new code every half minute. It needs no network, and nobody can divert it as they can a message."),
    actionButton({
      label: "Set up", className: "primary", work: begin,
      onError: (error) => error.code === "conflict" && already(),
    }),
  ];
}

function already() {
  go("/security", { replace: true, say: "You have an app already. Remove it first, to set up another one." });
  return true;
}

function setUp({ secret, otpauth_uri: uri, qr_svg: svg }) {
  const copyButton = h("button", { type: "button", class: "quiet", click: () => copy(secret, copyButton) }, "Copy key");
  return h("div", { class: "set-up" },
    h("h2", {}, "1. Scan this with your app"),
    h("img", { class: "qr", src: `data:image/svg+xml,${encodeURIComponent(svg)}`, alt: "QR code for your authenticator app", width: "208", height: "208" }),
    h("p", {}, h("a", { href: uri }, "Open an app on this device"), " or type the key:"),
    h("p", { class: "key" }, h("code", {}, secret.match(GROUPS).join(" ")), copyButton),
    h("h2", {}, "2. Enter the code that it shows"),
    firstCode());
}

function firstCode() {
  const prefer = checkbox({ name: "prefer", label: "Ask for it at each login", hint: "No message is sent then, unless you want one." });
  const code = field({ name: "code", label: "Code of the app", class: "code", autocomplete: "one-time-code", inputmode: "numeric", size: "6" });
  return form({
    fields: [code],
    extras: [prefer.element],
    action: "Turn on",
    async send(values) {
      await auth.confirmTotp(values.code.replace(/\s/g, ""));
      dropEnrolment();
      if (prefer.checked) await auth.changeMe({ preferred_method: "totp" });
      go("/security", { replace: true, say: "Your authenticator app is on." });
    },
    refused(error) {
      if (error.code !== "conflict" && error.code !== "not_found") return false;
      dropEnrolment();
      go(PATH, { replace: true, say: "This set-up is no longer good. Begin it anew." });
      return true;
    },
  }).element;
}
