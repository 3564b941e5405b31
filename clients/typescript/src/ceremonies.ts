/** Registration, login, step-up, reset, phone change: from the first request to the right code. */

import { unwrap } from "./answers.js";
import { NotReadyError, ProblemError } from "./errors.js";
import type { Change, Holder } from "./holder.js";
import type { Leaving } from "./leaving.js";
import type { Pending, Tokens } from "./openapi.js";
import { type HeldPending, visiblePending, visibleReset } from "./record.js";
import { elevate, pendingOf, resetOf, signIn, withoutTokens } from "./sessions.js";
import type { TakeTurns } from "./turns.js";
import type { Api, CodeRequired, OtpAuth, Purpose, SignedIn, Verified } from "./types.js";

type Starts = Pick<OtpAuth, "register" | "logIn" | "stepUp" | "forgotPassword" | "changePhone">;
type Proofs = Pick<OtpAuth, "sendCode" | "getChallenge" | "verifyCode" | "abandon" | "resetPassword">;
type VerifiedBody = Exclude<Awaited<ReturnType<typeof askToVerify>>, undefined>;

interface Parts {
  readonly api: Api;
  readonly holder: Holder;
  readonly leaving: Leaving;
  readonly takeTurns: TakeTurns;
}

/** A challenge or a reset that the service refuses so is over. */
const OVER = ["challenge_closed", "invalid_token", "account_exists"];

export function newCeremonies(parts: Parts): Starts & Proofs {
  return { ...newStarts(parts), ...newProofs(parts) };
}

function newStarts(parts: Parts): Starts {
  const { api, holder } = parts;
  const begin = (answer: Pending, purpose: Purpose): CodeRequired => {
    const pending = pendingOf(answer, purpose);
    holder.change((held) => ({ ...held, pending, reset: null }));
    return { status: "otp_required", pending: visiblePending(pending) };
  };
  /** A step-up or a phone change belongs to the session that asked for it. */
  const beginBeside = async (ask: Promise<Pending>, purpose: Purpose): Promise<CodeRequired> => {
    const before = holder.session?.id;
    const answer = await ask;
    if (holder.session?.id !== before) {
      throw new NotReadyError("The session that this was begun in is over.");
    }
    return begin(answer, purpose);
  };
  return {
    async register(body) {
      return begin(await unwrap(api.POST("/api/v1/auth/register", { body })), "register");
    },

    async logIn(body) {
      const { deviceToken } = holder.now;
      const complete = deviceToken === null ? body : { device_token: deviceToken, ...body };
      const answer = await unwrap(api.POST("/api/v1/auth/login", { body: complete }));
      return answer.status === "authenticated" ? enter(parts, answer) : begin(answer, "login");
    },

    async stepUp(body = {}) {
      return await beginBeside(unwrap(api.POST("/api/v1/auth/step-up", { body })), "step_up");
    },

    async forgotPassword(body) {
      return begin(await unwrap(api.POST("/api/v1/auth/password/forgot", { body })), "password_reset");
    },

    async changePhone(body) {
      return await beginBeside(unwrap(api.POST("/api/v1/me/phone", { body })), "phone_change");
    },
  };
}

function newProofs(parts: Parts): Proofs {
  const { api, holder, takeTurns } = parts;
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
        within(holder, async (pending) => settle(parts, pending, await askToVerify(api, body))),
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

function enter({ holder, leaving }: Parts, tokens: Tokens): SignedIn {
  holder.change((held) => signIn(held, tokens));
  leaving.settled();
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

/** Another tab may have signed out meanwhile, or this page given up: then what the code opened is nobody's. */
async function settle(
  { holder, leaving }: Parts,
  { token }: HeldPending,
  verified: VerifiedBody,
): Promise<Verified> {
  const { change, answer } = outcomeOf(verified);
  const isAwaited = holder.takePending(token, change);
  if (verified.status === "phone_changed") {
    holder.know(verified.user); // it is so, whoever waits for it
  } else if (!isAwaited) {
    if (verified.status === "authenticated") {
      await leaving.dismiss(verified);
    }
    throw new NotReadyError("The code was right, but what it was for was given up meanwhile. Begin again.");
  } else if (verified.status === "authenticated") {
    leaving.settled();
  }
  return answer;
}

function outcomeOf(verified: VerifiedBody): { change: Change; answer: Verified } {
  switch (verified.status) {
    case "authenticated":
      return { change: (held) => signIn(held, verified), answer: withoutTokens(verified) };
    case "elevated":
      return {
        change: (held) => ({ ...held, session: held.session && elevate(held.session, verified) }),
        answer: { status: "elevated" },
      };
    case "phone_changed":
      return { change: (held) => held, answer: verified };
    case "reset_allowed": {
      const reset = resetOf(verified);
      return {
        change: (held) => ({ ...held, reset }),
        answer: { status: "reset_allowed", reset: visibleReset(reset) },
      };
    }
  }
}
