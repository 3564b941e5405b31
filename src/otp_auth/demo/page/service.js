/** The one client of this page, and where it keeps its refresh token. */

import { browserStorage, createOtpAuth } from "./otp-auth-client.js";
import { traced } from "./trace.js";

const TRANSPORT = "otp-auth-demo.transport";
let stepUp = async () => false;

/** `body`: the refresh token is in localStorage. `cookie`: no script can read it. */
export const transport = localStorage.getItem(TRANSPORT) === "cookie" ? "cookie" : "body";

export const auth = createOtpAuth({
  baseUrl: location.origin,
  transport,
  storage: browserStorage("otp-auth-demo"),
  fetch: traced,
  onStepUp: (asked) => stepUp(asked),
});

/** Where a route wants a fresh proof, `handler` gets it: true once the code was right. */
export function onStepUp(handler) {
  stepUp = handler;
}

/** Nothing moves over from one to the other: whoever is signed in, is signed out. */
export async function changeTransport(wanted) {
  try {
    if (auth.state.status === "signed_in") await auth.logOut();
    else auth.abandon();
  } finally {
    localStorage.setItem(TRANSPORT, wanted);
    location.reload();
  }
}

// The other tabs have to follow: one browser, one place.
addEventListener("storage", (event) => {
  if (event.key === TRANSPORT) location.reload();
});
