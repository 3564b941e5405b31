/** From the bodies of the service to what is held. */

import type { Elevated, Pending, ResetAllowed, Tokens } from "./openapi.js";
import type { HeldPending, HeldReset, HeldSession, Holding } from "./record.js";
import type { Purpose, SignedIn } from "./types.js";

const LONGEST_MARGIN = 30_000; // milliseconds

export function sessionOf(tokens: Tokens): HeldSession {
  return {
    id: tokens.session_id,
    user: tokens.user,
    accessToken: tokens.access_token,
    renewAt: renewAt(tokens.expires_in),
    refreshToken: tokens.refresh_token ?? null,
  };
}

/** Somewhat before it ends, so that none ends on its way: a tenth of its life, 30 seconds at most. */
export function renewAt(expiresIn: number): number {
  const life = expiresIn * 1000;
  return Date.now() + life - Math.min(life / 10, LONGEST_MARGIN);
}

export function signIn(holding: Holding, tokens: Tokens): Holding {
  const deviceToken = tokens.device_token ?? holding.deviceToken;
  return { session: sessionOf(tokens), pending: null, reset: null, deviceToken, untold: null };
}

export function elevate(session: HeldSession, elevated: Elevated): HeldSession {
  return { ...session, accessToken: elevated.access_token, renewAt: renewAt(elevated.expires_in) };
}

export function pendingOf(answer: Pending, purpose: Purpose): HeldPending {
  return {
    token: answer.pending_token,
    purpose,
    methods: answer.methods,
    challenge: answer.challenge,
    expiresAt: moment(answer.expires_in),
  };
}

export function resetOf(allowed: ResetAllowed): HeldReset {
  return {
    token: allowed.reset_token,
    proofRequired: allowed.proof_required,
    expiresAt: moment(allowed.expires_in),
  };
}

/** What a page gets to see of tokens: whose they are, and recovery codes, which come this once. */
export function withoutTokens({ status, session_id, user, recovery_codes }: Tokens): SignedIn {
  return { status, session_id, user, ...(recovery_codes && { recovery_codes }) };
}

function moment(secondsFromNow: number): string {
  return new Date(Date.now() + secondsFromNow * 1000).toISOString();
}
