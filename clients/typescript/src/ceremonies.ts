/** Registration, login, step-up, reset, phone change: from the first request to the right code. */

import { unwrap } from "./answers.js";
import { NotReadyError, ProblemError } from "./errors.js";
import type { Holder } from "./holder.js";
import type { Pending, Tokens } from "./openapi.js";
import { type HeldPending, visiblePending, visibleReset } from "./record.js";
import { elevate, pendingOf, resetOf, signIn, withoutTokens } from "./sessions.js";
import type { TakeTurns } from "./turns.js";
import type { Api, CodeRequired, OtpAuth, Purpose, SignedIn, Verified } from "./types.js";

type Starts = Pick<OtpAuth, "register" | "logIn" | "stepUp" | "forgotPassword" | "changePhone">;
type Proofs = Pick<OtpAuth, "sendCode" | "getChallenge" | "verifyCode" | "abandon" | "resetPassword">;
type VerifiedBody = Exclude<Awaited<ReturnType<typeof askToVerify>>, undefined>;

/** A challenge or a reset that the service refuses so is over. */
const OVER = ["challenge_closed", "invalid_token", "account_exists"];

export function newCeremonies(api: Api, holder: Holder, takeTurns: TakeTurns): Starts & Proofs {
  return { ...newStarts(api, holder), ...newProofs(api, holder, takeTurns) };
}

function newStarts(api: Api, holder: Holder): Starts {
  const begin = (answer: Pending, purpose: Purpose): CodeRequired => {
    const pending = pendingOf(answer, purpose);
    holder.change((held) => ({ ...held, pending, reset: null }));
    return { status: "otp_required", pending: visiblePending(pending) };
  };
  return {
    async register(body) {
      return begin(await unwrap(api.POST("/api/v1/auth/register", { body })), "register");
    },

    async logIn(body) {
      const { deviceToken } = holder.now;
      const complete = deviceToken === null ? body : { device_token: deviceToken, ...body };
      const answer = await unwrap(api.POST("/api/v1/auth/login", { body: complete }));
      return answer.status === "authenticated" ? enter(holder, answer) : begin(answer, "login");
    },

    async stepUp(body = {}) {
      return begin(await unwrap(api.POST("/api/v1/auth/step-up", { body })), "step_up");
    },

    async forgotPassword(body) {
      return begin(await unwrap(api.POST("/api/v1/auth/password/forgot", { body })), "password_reset");
    },

    async changePhone(body) {
      return begin(await unwrap(api.POST("/api/v1/me/phone", { body })), "phone_change");
    },
  };
}

function newProofs(api: Api, holder: Holder, takeTurns: TakeTurns): Proofs {
  return {
    sendCode: (method) =>
      within(holder, async ({ token }) => {
        const challenge = await unwrap(api.POST("/api/v1/auth/otp/send", { body: { method } }));
        holder.changePending(token, (pending) => ({ ...pending, challenge }));
        return challenge;
      }),

    getChallenge: () =>
      within(holder, async (pending) => {
        const { methods, challenge } = await unwrap(api.GET("/api/v1/auth/otp"));
        const seen = { ...pending, methods, challenge };
        holder.changePending(pending.token, () => seen);
        return visiblePending(seen);
      }),

    // In turns with refreshes: in cookie mode a late answer of one would put back the cookie of before.
    verifyCode: (body) =>
      takeTurns(() =>
        within(holder, async (pending) => settle(holder, pending, await askToVerify(api, body))),
      ),

    abandon: () => holder.change((held) => ({ ...held, pending: null, reset: null })),

    async resetPassword(body) {
      const { token } = holder.reset ?? { token: "" };
      try {
        const held = await unwrap(api.POST("/api/v1/auth/password/reset", { body }));
        holder.endReset(token);
        return held ?? { status: "done" };
      } catch (error) {
        if (isOver(error)) {
          holder.endReset(token);
        }
        throw error;
      }
    },
  };
}

function enter(holder: Holder, tokens: Tokens): SignedIn {
  holder.change((held) => signIn(held, tokens));
  return withoutTokens(tokens);
}

function askToVerify(api: Api, body: Parameters<OtpAuth["verifyCode"]>[0]) {
  return unwrap(api.POST("/api/v1/auth/otp/verify", { body }));
}

/** Do something with the pending challenge, and see in a refusal what has become of it. */
async function within<T>(holder: Holder, work: (pending: HeldPending) => Promise<T>): Promise<T> {
  const { pending } = holder;
  if (!pending) {
    throw new NotReadyError("No code is pending: begin with logIn or the like.");
  }
  try {
    return await work(pending);
  } catch (error) {
    if (isOver(error)) {
      holder.changePending(pending.token, () => null);
    } else if (error instanceof ProblemError && error.attemptsLeft !== null) {
      const attempts_left = error.attemptsLeft;
      holder.changePending(pending.token, (held) => ({
        ...held,
        challenge: held.challenge && { ...held.challenge, attempts_left },
      }));
    }
    throw error;
  }
}

function isOver(error: unknown): boolean {
  return error instanceof ProblemError && OVER.includes(error.code);
}

function settle(holder: Holder, { token }: HeldPending, verified: VerifiedBody): Verified {
  switch (verified.status) {
    case "authenticated":
      return enter(holder, verified);
    case "elevated":
      holder.changeSession((session) => elevate(session, verified));
      holder.changePending(token, () => null);
      return { status: "elevated" };
    case "phone_changed":
      holder.changeSession((session) => ({ ...session, user: verified.user }));
      holder.changePending(token, () => null);
      return verified;
    case "reset_allowed": {
      const reset = resetOf(verified);
      holder.change((held) => ({ ...held, pending: null, reset }));
      return { status: "reset_allowed", reset: visibleReset(reset) };
    }
  }
}
