import { h } from "../dom.js";
import { actionButton } from "../forms.js";
import { go } from "../navigation.js";
import { pages } from "../pages.js";
import { auth } from "../service.js";
import { exact, relative } from "../time.js";

export function sessions() {
  return {
    title: "Sessions",
    element: [
      h("h1", {}, "Sessions"),
      h("p", { class: "lead" }, "Where you are signed in."),
      pages({ ask: (page) => auth.listSessions(page), row: sessionRow, none: "" }),
      h("div", { class: "buttons" }, endOthers(), everywhere()),
      h("h2", {}, "Trusted devices"),
      h("p", { class: "lead" }, "They log in with the password alone."),
      pages({ ask: (page) => auth.listDevices(page), row: deviceRow, none: "None. Where the service allows it, tick “Trust this device” beside a code." }),
    ],
  };
}

function sessionRow({ id, device, address, last_used_at: at, created_at: since, current }) {
  return h("li", {},
    h("div", {},
      h("h3", {}, device, current ? h("span", { class: "badge" }, "this one") : null),
      h("p", { class: "hint" }, when(at), address ? ` from ${address}` : "", ` · signed in ${relative(since)}`)),
    current ? null : actionButton({
      label: "End", describe: `End the session of ${device}`,
      work: () => ended(auth.endSession(id), "That session has ended."),
    }));
}

function deviceRow({ id, name, address, last_used_at: at, expires_at: until }) {
  return h("li", {},
    h("div", {},
      h("h3", {}, name),
      h("p", { class: "hint" }, when(at), address ? ` from ${address}` : "", ` · until ${exact(until)}`)),
    actionButton({
      label: "End trust", describe: `End trust in ${name}`,
      work: () => ended(auth.endDevice(id), "That device will be asked for a code again."),
    }));
}

function endOthers() {
  return actionButton({ label: "End all others", work: () => ended(auth.endOtherSessions(), "All other sessions have ended.") });
}

function everywhere() {
  return actionButton({
    label: "Sign out everywhere",
    async work() {
      await auth.logOut({ everywhere: true });
      go("/log-in", { say: "You are signed out everywhere." });
    },
  });
}

async function ended(work, say) {
  await work;
  go("/sessions", { replace: true, say });
}

function when(at) {
  return h("time", { datetime: at, title: exact(at) }, relative(at));
}
