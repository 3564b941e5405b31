/** Asks for the code of whatever is pending: the same for a login, a new number, and a step-up in its dialog. */

import { codeField } from "./code-field.js";
import { CHANNELS, OTHERS, heading, label, lead, startOver, taken, wayOn } from "./code-words.js";
import { announce, fill, focusOn, h, say } from "./dom.js";
import { asNumber, draft } from "./draft.js";
import { actionButton, checkbox, form } from "./forms.js";
import { endCode, holdPage, settle } from "./navigation.js";
import { explain, tries } from "./refusals.js";
import { auth } from "./service.js";
import { clock, secondsUntil, secondsUntilHere } from "./time.js";

const LOOK_AGAIN = 3000; // milliseconds, while a message is on its way
const ON_ITS_WAY = ["sending", "sent"];
const SIGNS_IN = ["register", "login"];

/**
 * `done(verified)` once a code was right; `leave()` when somebody starts over; `again()` asks for a new code
 * where that needs nothing to be typed.
 */
export function codeEntry({ level, pending, done, leave, again = null }) {
  const entry = new CodeEntry({ level, pending, done, leave, again });
  return { element: entry.element, dispose: () => entry.dispose(), focus: () => entry.focus() };
}

class CodeEntry {
  constructor({ level, pending, done, leave, again }) {
    Object.assign(this, { pending, done, leave, again });
    this.purpose = pending.purpose;
    this.method = firstMethod(pending);
    this.isOver = false;
    this.parts = {
      heading: h(level, { id: level === "h2" ? "step-up-heading" : null }, heading(this.purpose)),
      lead: h("p", { class: "lead", role: "status" }),
      again: h("p", { class: "hint", hidden: true }),
      form: h("div"),
      facts: h("p", { class: "facts", role: "timer", "aria-live": "off" }),
      resend: h("div", { class: "ways" }),
      others: h("div", { class: "ways" }),
    };
    this.element = h("div", { class: "code-entry" }, Object.values(this.parts), this.foot());
    this.drawForm();
    this.draw();
    this.stop = auth.onChange(({ pending: newest }) => newest?.purpose === this.purpose && this.take(newest));
    this.ticking = setInterval(() => this.tick(), 1000);
    this.looking = setTimeout(() => this.look(), LOOK_AGAIN);
  }

  dispose() {
    this.stop();
    clearInterval(this.ticking);
    clearTimeout(this.looking);
    this.isOver = true;
  }

  focus() {
    focusOn(this.field?.input ?? this.parts.heading);
  }

  /** Another state of the same ceremony: its screen stays, what has changed in it is drawn. */
  take(pending) {
    const before = this.pending.challenge;
    this.pending = pending;
    const isOffered = pending.methods.some(({ method }) => method === this.method);
    if (!isOffered || (!before && pending.challenge)) this.choose(firstMethod(pending));
    else if (shape(before) !== shape(pending.challenge)) this.redrawForm();
    this.draw();
  }

  choose(method) {
    this.method = method;
    this.drawForm();
    this.draw();
    this.focus();
  }

  /** Who was in a field that is gone stays at the code. */
  redrawForm() {
    const wasInside = this.parts.form.contains(document.activeElement);
    this.drawForm();
    if (wasInside) this.focus();
  }

  drawForm() {
    const { challenge } = this.pending;
    const isByPhone = !(this.method in OTHERS);
    this.field = null;
    if (isByPhone && !mayHaveCode(challenge)) {
      fill(this.parts.form); // no code can be right
      return;
    }
    this.field = codeField({
      label: label(this.method, challenge),
      method: this.method,
      challenge,
      beside: isByPhone ? inboxLink(this.purpose) : null,
      complete: () => this.form.submit(),
    });
    this.trust = SIGNS_IN.includes(this.purpose) && this.method !== "recovery_code" ? trustBox() : null;
    this.form = form({
      fields: [this.field],
      extras: [this.trust?.element],
      action: "Continue",
      send: ({ code }) => this.verify(code),
      refused: (error) => this.refused(error),
    });
    fill(this.parts.form, this.form.element);
  }

  draw() {
    if (this.isOver) return;
    say(this.parts.lead, lead(this.method, this.pending));
    this.parts.lead.dataset.delivery = this.method in OTHERS ? "" : (this.pending.challenge?.delivery ?? "");
    this.drawWays();
    this.tick();
  }

  /** Buttons are made anew only where they change: one that has the focus keeps it. */
  drawWays() {
    const { challenge, methods } = this.pending;
    const phones = challenge?.next_methods ?? methods.map(({ method }) => method).filter((method) => method in CHANNELS);
    const key = JSON.stringify([challenge?.method, phones, this.method, methods, Boolean(challenge?.resend_at)]);
    if (key === this.waysKey) return;
    this.waysKey = key;
    const instead = phones.filter((method) => method !== challenge?.method);
    this.countdown = h("span", { class: "countdown" });
    fill(this.parts.resend,
      challenge ? this.againButton(challenge, phones) : null,
      instead.map((method) => this.sendButton(method, challenge ? CHANNELS[method].instead : CHANNELS[method].first)));
    fill(this.parts.others, this.otherFactors().map(([method, text]) =>
      h("button", { type: "button", class: "link", click: () => this.choose(method) }, text)));
  }

  againButton(challenge, phones) {
    if (phones.includes(challenge.method)) return this.sendButton(challenge.method, CHANNELS[challenge.method].again);
    if (phones.length > 0) return null; // the ways that are left are there
    if (!challenge.resend_at) return h("p", { class: "hint" }, "No more codes can be sent this time.");
    const button = h("button", { type: "button", class: "link", disabled: true }, CHANNELS[challenge.method].again);
    return h("div", { class: "action" }, button, " ", this.countdown);
  }

  sendButton(method, text) {
    return actionButton({ label: text, className: "link", work: () => this.send(method), onError: (error) => this.refused(error) });
  }

  otherFactors() {
    const { methods, challenge } = this.pending;
    const offered = methods.map(({ method }) => method).filter((method) => method in OTHERS && method !== this.method);
    const backToPhone = this.method in OTHERS && challenge ? [[challenge.method, "Use the code sent to your phone"]] : [];
    return [...backToPhone, ...offered.map((method) => [method, OTHERS[method]])];
  }

  async send(method) {
    const isFirst = this.pending.challenge === null;
    await holdPage(() => auth.sendCode(method));
    announce(isFirst ? "A code is on its way." : "The code is on its way again.");
    this.parts.again.textContent = `You asked for another one at ${new Date().toLocaleTimeString()}.`;
    this.parts.again.hidden = isFirst;
    this.take(auth.state.pending);
    this.choose(method);
    this.lookSoon();
  }

  async verify(code) {
    const body = { code };
    if (this.method in OTHERS) body.method = this.method;
    if (this.trust?.checked) body.trust_device = true;
    const verified = await holdPage(() => auth.verifyCode(body));
    this.dispose();
    this.done(verified);
  }

  refused(error) {
    if (error.code === "wrong_code") {
      this.field.clear();
      if (error.attemptsLeft !== null && this.pending.challenge) {
        this.take({ ...this.pending, challenge: { ...this.pending.challenge, attempts_left: error.attemptsLeft } });
      }
      if (error.attemptsLeft === 0) this.end("That wasn’t the code, and it was the last try.");
      return error.attemptsLeft === 0;
    }
    if (error.code === "account_exists") {
      const { reason, way, title } = taken(this.purpose);
      this.end(reason, way, title);
      return true;
    }
    if (["challenge_closed", "invalid_token"].includes(error.code)) {
      this.end("This code is no longer good: it was used, replaced by a newer one, or too old.");
      return true;
    }
    return false;
  }

  tick() {
    if (this.isOver) return;
    const { challenge, expiresAt } = this.pending;
    const isByPhone = !(this.method in OTHERS);
    const left = isByPhone && challenge ? secondsUntil(challenge.expires_at) : secondsUntilHere(expiresAt);
    if (left === 0) {
      this.end("The time for this code is over.");
      return;
    }
    const attempts = challenge ? tries(challenge.attempts_left).trim().replace(".", "") : "";
    this.parts.facts.hidden = this.field === null;
    this.parts.facts.textContent = [`Time left: ${clock(left)}`, attempts].filter(Boolean).join(" · ");
    const wait = challenge?.resend_at ? secondsUntil(challenge.resend_at) : 0;
    this.countdown.textContent = wait > 0 ? `in ${clock(wait)}` : "";
    if (wait === 0 && this.waited > 0) this.lookSoon();
    this.waited = wait;
  }

  /** Ask how far the message has come, and once more when another may be asked for. */
  async look() {
    if (this.isOver) return;
    const isWatched = ON_ITS_WAY.includes(this.pending.challenge?.delivery) || this.isDue();
    let pause = LOOK_AGAIN;
    if (isWatched && document.visibilityState === "visible") {
      try {
        const newest = await holdPage(() => auth.getChallenge());
        if (!this.isOver) this.take(newest);
      } catch (error) {
        explain(error); // what isn't a refusal isn't for here
        if (this.isOver) return;
        if (this.refused(error)) return;
        pause = Math.max(pause, (error.retryAfter ?? 0) * 1000);
      }
    }
    if (!this.isOver) this.looking = setTimeout(() => this.look(), pause);
  }

  lookSoon() {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.look(), 300);
  }

  /** Another message may go out by the clock, and the buttons don't know it yet. */
  isDue() {
    const { challenge } = this.pending;
    return Boolean(challenge?.resend_at) && challenge.next_methods.length === 0 && secondsUntil(challenge.resend_at) === 0;
  }

  /** The code is dead: say so, and show the way on. */
  end(reason, way = wayOn(this.purpose), title = "This code has ended") {
    if (this.isOver) return;
    this.dispose();
    const [text, path] = way ?? [];
    if (path) endCode(this.purpose);
    auth.abandon();
    const onward = path
      ? h("a", { class: "button primary", href: `#${path}` }, text)
      : actionButton({ label: "Send a new code", className: "primary", work: this.again });
    const over = h(this.parts.heading.localName, { id: this.parts.heading.id || null }, title);
    fill(this.element, over, h("p", { class: "lead" }, reason), onward);
    focusOn(over);
    settle();
  }

  foot() {
    const leave = () => {
      this.dispose();
      this.leave();
    };
    return h("div", { class: "foot" }, h("button", { type: "button", class: "link", click: leave }, startOver(this.purpose)));
  }
}

/** Of a developer's service: what the phone has got. */
function inboxLink(purpose) {
  const number = asNumber(numberOf(purpose));
  const query = number ? `?${new URLSearchParams({ to: number })}` : "";
  return h("a", { class: "inbox", href: `../sandbox/${query}`, target: "otp-auth-inbox" },
    "Open the inbox", h("span", { class: "unseen" }, " in another tab"));
}

function firstMethod({ challenge, methods }) {
  return challenge?.method ?? methods[0].method;
}

function mayHaveCode(challenge) {
  if (challenge === null || challenge.delivery === "not_sent") return false;
  return challenge.delivery !== "failed" || challenge.code_length !== null;
}

/** What the form depends on. */
function shape(challenge) {
  return JSON.stringify([mayHaveCode(challenge), challenge?.code_length, challenge?.code_type]);
}

function numberOf(purpose) {
  if (purpose === "step_up") return auth.state.session?.user.phone_number;
  return draft()[purpose];
}

function trustBox() {
  return checkbox({
    name: "trust",
    label: "Trust this device",
    hint: ["Next time the password is enough here, if the service has ", h("code", {}, "OTP_AUTH_TRUSTED_DEVICES__ENABLED=true"), "."],
  });
}
