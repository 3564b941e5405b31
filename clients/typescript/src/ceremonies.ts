/** Registration, login, step-up, reset, phone change: from the first request to the right code. */

import { unwrap } from "./answers.js";
import { NotReadyError, ProblemError } from "./errors.js";
import type { Holder } from "./holder.js";
import type { Pending, Tokens } from "./openapi.js";
import { type HeldCeremony, visibleCeremony, visibleReset } from "./record.js";
import { ceremonyOf, elevate, resetOf, signIn, withoutTokens } from "./sessions.js";
import type { TakeTurns } from "./turns.js";
import type { Api, CodeRequired, OtpAuth, Purpose, SignedIn, Verified } from "./types.js";

type Ceremonies = Pick<
  OtpAuth,
  | "register"
  | "logIn"
  | "sendCode"
  | "getChallenge"
  | "verifyCode"
  | "abandon"
  | "stepUp"
  | "forgotPassword"
  | "resetPassword"
  | "changePhone"
>;
type VerifiedBody = Exclude<Awaited<ReturnType<typeof askToVerify>>, undefined>;

/** A challenge or a reset that the service refuses so is over. */
const OVER = ["challenge_closed", "invalid_token", "account_exists"];

export function newCeremonies(api: Api, holder: Holder, takeTurns: TakeTurns): Ceremonies {
  const begin = (pending: Pending, purpose: Purpose): CodeRequired => {
    const ceremony = ceremonyOf(pending, purpose);
    holder.change((held) => ({ ...held, ceremony, reset: null }));
    return { status: "otp_required", pending: visibleCeremony(ceremony) };
  };
  const enter = (tokens: Tokens): SignedIn => {
    holder.change((held) => signIn(held, tokens));
    return withoutTokens(tokens);
  };
  return {
    async register(body) {
      return begin(await unwrap(api.POST("/api/v1/auth/register", { body })), "register");
    },

    async logIn(body) {
      const { deviceToken } = holder.now;
      const complete = deviceToken === null ? body : { device_token: deviceToken, ...body };
      const answer = await unwrap(api.POST("/api/v1/auth/login", { body: complete }));
      return answer.status === "authenticated" ? enter(answer) : begin(answer, "login");
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

    async sendCode(method) {
      return await within(holder, async ({ token }) => {
        const challenge = await unwrap(api.POST("/api/v1/auth/otp/send", { body: { method } }));
        holder.changeCeremony(token, (ceremony) => ({ ...ceremony, challenge }));
        return challenge;
      });
    },

    async getChallenge() {
      return await within(holder, async (ceremony) => {
        const { methods, challenge } = await unwrap(api.GET("/api/v1/auth/otp"));
        const seen = { ...ceremony, methods, challenge };
        holder.changeCeremony(ceremony.token, () => seen);
        return visibleCeremony(seen);
      });
    },

    // In turns with refreshes: in cookie mode a late answer of one would put back the cookie of before.
    async verifyCode(body) {
      return await takeTurns(() =>
        within(holder, async (ceremony) => settle(holder, ceremony, await askToVerify(api, body))),
      );
    },

    abandon() {
      holder.change((held) => ({ ...held, ceremony: null, reset: null }));
    },

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

function askToVerify(api: Api, body: Parameters<OtpAuth["verifyCode"]>[0]) {
  return unwrap(api.POST("/api/v1/auth/otp/verify", { body }));
}

/** Do something with the pending challenge, and see in a refusal what has become of it. */
async function within<T>(holder: Holder, work: (ceremony: HeldCeremony) => Promise<T>): Promise<T> {
  const { ceremony } = holder;
  if (!ceremony) {
    throw new NotReadyError("There is no challenge: begin with logIn or the like.");
  }
  try {
    return await work(ceremony);
  } catch (error) {
    if (isOver(error)) {
      holder.changeCeremony(ceremony.token, () => null);
    } else if (error instanceof ProblemError && error.attemptsLeft !== null) {
      const attempts_left = error.attemptsLeft;
      holder.changeCeremony(ceremony.token, (held) => ({
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

function settle(holder: Holder, { token }: HeldCeremony, verified: VerifiedBody): Verified {
  switch (verified.status) {
    case "authenticated":
      holder.change((held) => signIn(held, verified));
      return withoutTokens(verified);
    case "elevated":
      holder.changeSession((session) => elevate(session, verified));
      holder.changeCeremony(token, () => null);
      return { status: "elevated" };
    case "phone_changed":
      holder.changeSession((session) => ({ ...session, user: verified.user }));
      holder.changeCeremony(token, () => null);
      return verified;
    case "reset_allowed": {
      const reset = resetOf(verified);
      holder.change((held) => ({ ...held, ceremony: null, reset }));
      return { status: "reset_allowed", reset: visibleReset(reset) };
    }
  }
}
