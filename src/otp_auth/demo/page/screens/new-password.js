import { h } from "../dom.js";
import { choice, field, form } from "../forms.js";
import { go, holdPage } from "../navigation.js";
import { newPasswordField } from "../new-password-field.js";
import { auth } from "../service.js";
import { exact } from "../time.js";

const PROOFS = [["totp", "Code of my authenticator app"], ["recovery_code", "Recovery code"]];

/** The phone is proved. A second proof makes the new password count at once. */
export function newPassword({ reset }) {
  const password = newPasswordField("new_password", "New password");
  const kind = choice({ name: "kind", label: "Second proof", options: PROOFS, value: reset.proofRequired ? "totp" : "recovery_code" });
  const proof = field({
    name: "code", label: "Code", autocomplete: "off", optional: !reset.proofRequired,
    hint: reset.proofRequired
      ? "Your account has an authenticator app: the phone alone isn’t enough."
      : "With it the password counts at once. Without it, it may have to wait: so you could still stop somebody who only has your phone.",
  });
  const element = h("div", {}, h("h1", {}, "Choose a new password"), form({
    fields: [password, kind, proof],
    action: "Set password",
    async send({ new_password, kind: method, code }) {
      const body = code ? { new_password, proof: { method, code } } : { new_password };
      const result = await holdPage(() => auth.resetPassword(body));
      go("/log-in", { replace: true, say: outcome(result) });
    },
    refused: (error) => isOver(error) && startAnew(),
  }).element);
  return { title: "New password", element };
}

function outcome(result) {
  if (result.status === "done") return "Your new password is set. Log in with it.";
  return `Your new password counts from ${exact(result.effective_at)} on. Until then the old one does, and you can stop the change wherever you are signed in.`;
}

function isOver({ code, name }) {
  return ["challenge_closed", "invalid_token"].includes(code) || name === "NotReadyError";
}

function startAnew() {
  auth.abandon();
  go("/forgot", { replace: true, say: "The time to set a password is over. Ask for a new code." });
  return true;
}
