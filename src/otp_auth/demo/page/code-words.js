/** What the code screen says. */

/** `first`: where none was sent yet. */
export const CHANNELS = {
  sms: {
    by: "by text message", thing: "text message",
    first: "Text me a code", again: "Send a new text", instead: "Text me instead",
  },
  voice: {
    by: "by phone call", thing: "call",
    first: "Call me with a code", again: "Call me again", instead: "Call me instead",
  },
  whatsapp: {
    by: "on WhatsApp", thing: "WhatsApp message",
    first: "Send a code on WhatsApp", again: "Send it on WhatsApp again", instead: "Use WhatsApp instead",
  },
  flashcall: {
    by: "by a missed call", thing: "call",
    first: "Ring me", again: "Ring me again", instead: "Ring me instead",
  },
};

export const OTHERS = {
  totp: "Use your authenticator app",
  recovery_code: "Use a recovery code",
};

const HEADINGS = {
  register: "Confirm your phone",
  login: "Enter the code",
  step_up: "Confirm that it’s you",
  phone_change: "Confirm your new number",
  password_reset: "Enter the code",
};

const ENDED = {
  register: ["Sign up again", "/sign-up"],
  login: ["Log in again", "/log-in"],
  phone_change: ["Enter the number again", "/phone"],
  password_reset: ["Ask for a new code", "/forgot"],
};

const TAKEN = {
  register: {
    title: "There is an account already",
    reason: "The code was right, and there is an account with this number or e-mail address. Log in instead.",
    way: ["Log in", "/log-in"],
  },
  phone_change: {
    title: "The number belongs to an account",
    reason: "The code was right, and there is another account with this number. Yours stays as it is.",
    way: ["Enter another number", "/phone"],
  },
};

const START_OVER = {
  register: "Use another number",
  login: "Use another account",
  phone_change: "Use another number",
  password_reset: "Use another account",
  step_up: "Not now",
};

export function heading(purpose) {
  return HEADINGS[purpose];
}

/** `[label, path]` of the way on from a code that has ended. */
export function wayOn(purpose) {
  return ENDED[purpose];
}

export function startOver(purpose) {
  return START_OVER[purpose];
}

/** What to say, and the way on, where the number that was proved belongs to an account. */
export function taken(purpose) {
  return TAKEN[purpose];
}

/** One sentence: where the code is. */
export function lead(method, pending) {
  if (method === "totp") return "Enter the code that your authenticator app shows.";
  if (method === "recovery_code") return "Enter one of the recovery codes that you have kept. Each works once.";
  const { challenge } = pending;
  return challenge ? DELIVERIES[challenge.delivery](challenge) : "No code was sent yet. Choose how you want to get it.";
}

const DELIVERIES = {
  sending: (challenge) => `A code is on its way ${by(challenge)}${to(challenge)}.`,
  sent: (challenge) => `We sent a code ${by(challenge)}${to(challenge)}.`,
  delivered: (challenge) => `The code has arrived ${by(challenge)}${at(challenge)}.`,
  failed: (challenge) => `The ${CHANNELS[challenge.method].thing}${to(challenge)} didn’t get through.${wayOut(challenge)}`,
  not_sent: (challenge) => `No code went out${to(challenge)} yet. You can ask for one as soon as the button lets you.`,
  unknown: ({ purpose, ...challenge }) => purpose === "password_reset"
    ? "If there is such an account, a code is on its way to its phone."
    : `We couldn’t find out whether the code got through${to(challenge)}.`,
};

/** Only what can be done. */
function wayOut({ method, next_methods: ways, resend_at: later }) {
  const canChoose = ways.some((way) => way !== method);
  if (ways.includes(method)) return canChoose ? " Try again, or choose another way." : " Try again.";
  if (canChoose) return " Choose another way.";
  return later ? " You can ask for another one as soon as the button lets you." : "";
}

/** What is asked for, as the label of its field. */
export function label(method, challenge) {
  if (method === "recovery_code") return "Recovery code";
  if (method === "totp") return "Code of the app";
  return challenge?.code_type === "caller_id" ? "Number that called you" : "Code";
}

function by({ method }) {
  return CHANNELS[method].by;
}

function to({ destination }) {
  return destination ? ` to ${destination}` : "";
}

function at({ destination }) {
  return destination ? ` at ${destination}` : "";
}
