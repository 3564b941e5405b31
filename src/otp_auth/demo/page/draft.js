/** What was typed on the way to a code, for this tab: to fill forms again after an expiry. Never a password. */

const KEY = "otp-auth-demo.draft";

export function draft() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

export function keep(values) {
  sessionStorage.setItem(KEY, JSON.stringify({ ...draft(), ...values }));
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

/** As the service writes numbers, as far as one can tell: null unless it begins with a plus. */
export function asNumber(text) {
  const number = (text ?? "").replace(/[\s().-]/g, "");
  return /^\+\d{6,15}$/.test(number) ? number : null;
}
