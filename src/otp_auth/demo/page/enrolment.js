/** The authenticator app that is being set up, for this tab and this session: a reload shows its key again. */

import { auth } from "./service.js";

const KEY = "otp-auth-demo.enrolment";

export function heldEnrolment() {
  try {
    const { sessionId, enrolment } = JSON.parse(sessionStorage.getItem(KEY));
    return sessionId === auth.state.session?.id ? enrolment : null;
  } catch {
    return null; // none, or one that this page didn't write
  }
}

export function holdEnrolment(enrolment) {
  sessionStorage.setItem(KEY, JSON.stringify({ sessionId: auth.state.session?.id, enrolment }));
}

/** It is confirmed, or left: its key is nobody's business any more. */
export function dropEnrolment() {
  sessionStorage.removeItem(KEY);
}
