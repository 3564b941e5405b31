/** What to say for each refusal: one sentence that says what to do. The codes are those of `/problems/{code}`. */

import { duration } from "./time.js";

const SENTENCES = {
  wrong_code: ({ attemptsLeft }) => `That isn’t the code.${tries(attemptsLeft)}`,
  wrong_password: () => "That isn’t your present password. Try again.",
  malformed_request: ({ requestId }) => mistake(requestId),
  invalid_credentials: () => "Login and password don’t belong together. Check both, or reset your password.",
  invalid_token: () => "This step or session has ended. Start again.",
  insufficient_user_authentication: () => "Confirm that it’s you, then this goes through.",
  not_allowed: () => "The browser didn’t say where its session is kept. Reload the page and try again.",
  proof_required: () => "Your account has an authenticator app: enter one of its codes, or a recovery code.",
  not_found: () => "That is gone already. Reload to see how things stand.",
  method_not_allowed: ({ requestId }) => mistake(requestId),
  payload_too_large: () => "That is too much text. Shorten it.",
  unsupported_media_type: ({ requestId }) => mistake(requestId),
  account_exists: () => "There is an account with this number or e-mail address already. Log in instead.",
  conflict: () => "That doesn’t fit your account as it is: it may have changed meanwhile, or belong to somebody else.",
  challenge_closed: () => "This code is no longer good. Start again to get a new one.",
  validation_failed: () => "Something in the form isn’t right yet. Look at the marked fields.",
  weak_password: () => "That password is easy to guess. Take a longer one, such as four words that don’t belong together.",
  phone_number_invalid: () => "That isn’t a phone number. Write it with + and the country code, such as +46 70 174 06 20.",
  destination_refused: () => "No codes can be sent to that number. Use a mobile number of a country that is served.",
  rate_limited: (error) => `That was a lot of requests. Try again ${later(error)}.`,
  resend_too_soon: (error) => `A code is on its way. You can ask for another one ${later(error)}.`,
  too_many_attempts: (error) => `Too many wrong tries; this one was not looked at. Try again ${later(error)}.`,
  too_many_sends: (error) => `No more codes for now. Try again ${later(error)}, or use another way to prove it’s you.`,
  internal_error: ({ requestId }) => `Something went wrong on our side. If it stays so, tell us this number: ${requestId}`,
  provider_unavailable: (error) => `No messages get out at the moment. Try again ${later(error)}, or use another way.`,
  overloaded: (error) => `There is a rush just now. Try again ${later(error)}.`,
  not_ready: (error) => `The service isn’t available just now. Try again ${later(error)}.`,
};

/** Fields that a refusal speaks of, where the form has one of them. */
const FIELDS = {
  wrong_code: ["code"],
  wrong_password: ["current_password"],
  proof_required: ["code"],
  too_many_attempts: ["code"],
  weak_password: ["password", "new_password"],
  phone_number_invalid: ["phone_number"],
  destination_refused: ["phone_number"],
};

const RULES = {
  required: () => "Fill this in.",
  too_short: (message) => `Too short: use at least ${number(message)} characters.`,
  too_long: (message) => `Too long: use at most ${number(message)} characters.`,
  not_an_email: () => "That isn’t an e-mail address.",
  wrong_format: () => "Use the plain digits and letters of the code.",
  not_printable: () => "Use printable characters only.",
};

export const CODES = Object.keys(SENTENCES);

/** Returns `{message, fields}`: what to say over all, and by field name. */
export function explain(error) {
  if (error.name === "ConnectionError") {
    return { message: "The service doesn’t answer. Check your connection and try again.", fields: {} };
  }
  if (error.name === "NotReadyError") {
    return { message: "This step has ended, perhaps in another tab. Start again.", fields: {} };
  }
  if (error.name !== "ProblemError") throw error;
  const message = (SENTENCES[error.code] ?? (({ detail }) => detail))(error);
  return { message, fields: { ...atFields(error, message), ...atFaults(error) } };
}

export function tries(left) {
  if (left === null || left === undefined) return "";
  if (left === 0) return " That was the last try.";
  return left === 1 ? " One try is left." : ` ${left} tries are left.`;
}

function atFields({ code }, message) {
  return Object.fromEntries((FIELDS[code] ?? []).map((name) => [name, message]));
}

function atFaults({ code, errors }) {
  if (code !== "validation_failed") return {};
  return Object.fromEntries(errors.map((fault) => {
    const name = fault.field.split(".").at(-1);
    return [name, inWords(name, fault)];
  }));
}

function inWords(name, { rule, message }) {
  if (name === "phone_number" && rule !== "required") return SENTENCES.phone_number_invalid();
  return RULES[rule]?.(message) ?? message;
}

function number(message) {
  return /\d+/.exec(message)?.[0] ?? "a few";
}

function later({ retryAfter }) {
  return retryAfter ? `in ${duration(retryAfter)}` : "in a moment";
}

function mistake(requestId) {
  return `This page made a mistake. If it stays so, tell us this number: ${requestId}`;
}
