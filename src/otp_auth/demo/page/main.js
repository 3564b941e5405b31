/** Starts the page: puts the right screen up, and follows what happens here and in other tabs. */

import { fill, focusOn, h } from "./dom.js";
import { forget } from "./draft.js";
import { dropEnrolment } from "./enrolment.js";
import { go, here, isHeld, mayLeave, placeFor, startNavigation, takeNotice } from "./navigation.js";
import { startPanel } from "./panel.js";
import { account } from "./screens/account.js";
import { activity } from "./screens/activity.js";
import { authenticator } from "./screens/authenticator.js";
import { code } from "./screens/code.js";
import { data } from "./screens/data.js";
import { forgot } from "./screens/forgot.js";
import { logIn } from "./screens/log-in.js";
import { newPassword } from "./screens/new-password.js";
import { password } from "./screens/password.js";
import { phone } from "./screens/phone.js";
import { recoveryCodes } from "./screens/recovery-codes.js";
import { security } from "./screens/security.js";
import { sessions } from "./screens/sessions.js";
import { signUp } from "./screens/sign-up.js";
import { auth } from "./service.js";
import { askForStepUp, cancelStepUp, startStepUps } from "./step-up-dialog.js";
import { clearTrace } from "./trace.js";

/** `needs`: guest, code, reset or session. `part`: which entry of the account's navigation it belongs to. */
const SCREENS = {
  "/log-in": { screen: logIn, needs: "guest" },
  "/sign-up": { screen: signUp, needs: "guest" },
  "/forgot": { screen: forgot, needs: "guest" },
  "/code": { screen: code, needs: "code" },
  "/new-password": { screen: newPassword, needs: "reset" },
  "/account": { screen: account, needs: "session", part: "/account" },
  "/phone": { screen: phone, needs: "session", part: "/account" },
  "/security": { screen: security, needs: "session", part: "/security" },
  "/password": { screen: password, needs: "session", part: "/security" },
  "/authenticator": { screen: authenticator, needs: "session", part: "/security" },
  "/recovery-codes": { screen: recoveryCodes, needs: "session", part: "/security" },
  "/sessions": { screen: sessions, needs: "session", part: "/sessions" },
  "/activity": { screen: activity, needs: "session", part: "/activity" },
  "/data": { screen: data, needs: "session", part: "/data" },
};
const PARTS = [
  ["/account", "Profile"],
  ["/security", "Security"],
  ["/sessions", "Sessions"],
  ["/activity", "Activity"],
  ["/data", "Your data"],
];
const main = document.getElementById("main");
let shown = { key: null, dispose() {}, wasSignedIn: false };
let sessionId = null;

function render(isAnew) {
  const { state } = auth;
  forgetWhoLeft(state);
  if (isHeld() && !isAnew) return;
  const path = placeFor(here(), SCREENS[here()]?.needs, state);
  const key = `${path} ${state.session?.id ?? ""}`;
  if (!state.session) cancelStepUp();
  if (path !== here()) history.replaceState(null, "", `#${path}`);
  if (key === shown.key && !isAnew) return;
  cancelStepUp();
  put(path, key, state);
}

/** However a session ended, here or elsewhere: who comes next on this computer sees nothing of it. */
function forgetWhoLeft({ session }) {
  if (sessionId !== null && sessionId !== session?.id) {
    clearTrace();
    dropEnrolment();
    forget();
  }
  sessionId = session?.id ?? null;
}

function put(path, key, state) {
  const isFirst = shown.key === null;
  const wasElsewhere = shown.wasSignedIn && !state.session;
  const said = takeNotice() || (wasElsewhere ? "You are signed out." : "");
  shown.dispose();
  const { screen, part } = SCREENS[path];
  const { title, element, focus, dispose = () => {} } = screen(state);
  shown = { key, dispose, wasSignedIn: Boolean(state.session) };
  document.title = `${title} · otp-auth demo`;
  main.className = state.session ? "wide" : "narrow";
  fill(main,
    state.session ? accountBar(part, state.session.user) : null,
    said ? h("p", { class: "notice", role: "status" }, said) : null,
    h("section", { class: "card" }, element));
  main.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  scrollTo(0, 0);
  if (focus) focus();
  else if (!isFirst) focusOn(main.querySelector("h1"));
}

function accountBar(part, user) {
  const links = PARTS.map(([path, text]) =>
    h("li", {}, h("a", { href: `#${path}`, "aria-current": path === part ? "page" : null }, text)));
  return h("div", { class: "account-bar" },
    h("p", { class: "who" }, user.display_name ?? user.phone_number),
    h("button", { type: "button", class: "quiet", click: leave }, "Sign out"),
    h("nav", { "aria-label": "Account" }, h("ul", {}, links)));
}

async function leave() {
  if (!mayLeave()) return;
  shown.wasSignedIn = false; // it is said in other words
  try {
    await auth.logOut();
    go("/log-in", { say: "You are signed out. See you!" });
  } catch {
    go("/log-in", { say: "You are signed out here. The service didn’t answer: it may keep the session for some days." });
  }
}

function skip(event) {
  event.preventDefault(); // the address belongs to the screens
  main.focus();
}

async function start() {
  document.getElementById("skip").addEventListener("click", skip);
  startPanel();
  startStepUps();
  await auth.restore();
  startNavigation(render);
  auth.onChange(() => render(false));
  render(true);
  if (auth.state.pending?.purpose === "step_up" && (await askForStepUp({ isResumed: true }))) {
    go(here(), { replace: true, say: "Thank you, it’s you. Go on where you were." });
  }
}

await start();
