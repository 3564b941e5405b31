/** Which page is shown: by the address, and by where the client stands. */

const HOME = { signed_in: "/account", reset_allowed: "/new-password", pending: "/code", signed_out: "/log-in" };

let draw = () => {};
let holds = 0;
let notice = "";
/** A code that can't be entered any more, and still is on the screen: its purpose. */
let ended = null;
/** What to ask before the page on the screen is left, and its place: `{question, path}`. */
let kept = null;

/** `render(isAnew)` puts the page on the screen. */
export function startNavigation(render) {
  draw = render;
  addEventListener("hashchange", () => {
    if (kept === null || here() === kept.path || mayLeave()) draw(false);
    else history.replaceState(null, "", `#${kept.path}`);
  });
  addEventListener("beforeunload", (event) => {
    if (kept !== null) event.preventDefault(); // the browser asks in its own words
  });
}

export function here() {
  return location.hash.slice(1) || "/";
}

export function go(path, { replace = false, say = "" } = {}) {
  notice = say;
  history[replace ? "replaceState" : "pushState"](null, "", `#${path}`);
  draw(true);
}

/** Have this asked before somebody leaves the page that is on the screen now; null: no more. */
export function askBeforeLeaving(question) {
  kept = question === null ? null : { question, path: here() };
}

/** Ask what there is to be asked: true if the page may be left. */
export function mayLeave() {
  if (kept !== null && !confirm(kept.question)) return false;
  kept = null;
  return true;
}

/** What the last step wants to be said on the next page; once. */
export function takeNotice() {
  const taken = notice;
  notice = "";
  return taken;
}

/** While this works, changes of state don't change the page: it decides itself where to go. */
export async function holdPage(work) {
  holds += 1;
  try {
    return await work();
  } finally {
    holds -= 1;
    setTimeout(settle); // by then whoever asked has gone on, if that is what it does
  }
}

export function isHeld() {
  return holds > 0;
}

/** See whether this is still the right page. */
export function settle() {
  draw(false);
}

/** Keep the code's page although nothing is pending, with what it says of the end; null: no more. */
export function endCode(purpose) {
  ended = purpose;
}

/** The page to show instead of the one that was asked for, or that one. */
export function placeFor(path, needs, state) {
  const isSignedIn = state.status === "signed_in";
  if (needs === "code") return hasCode(state) ? path : home(state);
  if (needs === "reset") return state.reset ? path : home(state);
  if (needs === "session") return isSignedIn ? path : home(state);
  if (needs === "guest") return isSignedIn ? home(state) : path;
  return home(state);
}

function hasCode({ status, pending }) {
  if (pending) return pending.purpose !== "step_up";
  return ended !== null && (ended === "phone_change") === (status === "signed_in");
}

function home({ status, pending }) {
  return pending?.purpose === "phone_change" ? "/code" : HOME[status];
}
