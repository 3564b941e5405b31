/** What is kept in the storage, and what of it everybody may see. */

import type { Challenge, LogoutBody, OfferedMethod, User } from "./openapi.js";
import { isHolding } from "./shape.js";
import type { AuthState, PendingChallenge, Purpose, ResetPermission } from "./types.js";

export interface HeldSession {
  readonly id: string;
  readonly user: User;
  readonly accessToken: string;
  /** From then on (milliseconds) it is due for another one: somewhat before it ends. */
  readonly renewAt: number;
  /** Null in cookie mode. */
  readonly refreshToken: string | null;
}

export interface HeldPending {
  readonly token: string;
  readonly purpose: Purpose;
  readonly methods: readonly OfferedMethod[];
  readonly challenge: Challenge | null;
  readonly expiresAt: string;
}

export interface HeldReset {
  readonly token: string;
  readonly proofRequired: boolean;
  readonly expiresAt: string;
}

export interface Holding {
  readonly session: HeldSession | null;
  readonly pending: HeldPending | null;
  readonly reset: HeldReset | null;
  readonly deviceToken: string | null;
  /** A logout of which the service doesn't know yet. */
  readonly untold: LogoutBody | null;
}

export const NOTHING: Holding = {
  session: null,
  pending: null,
  reset: null,
  deviceToken: null,
  untold: null,
};
/** Another version of this client may find what this one has written: it is no good to it then. */
const VERSION = 3;

export function write(holding: Holding): string | null {
  const isEmpty = Object.values(holding).every((part) => part === null);
  return isEmpty ? null : JSON.stringify({ version: VERSION, ...holding });
}

export function read(entry: string | null): Holding {
  try {
    const kept: unknown = JSON.parse(entry ?? "null");
    if (!isHolding(kept) || !("version" in kept && kept.version === VERSION)) {
      return NOTHING;
    }
    const { session, pending, reset, deviceToken, untold } = kept;
    return { session, pending, reset, deviceToken, untold };
  } catch {
    return NOTHING;
  }
}

export function publicState({ session, pending: held, reset }: Holding): AuthState {
  const pending = held && visiblePending(held);
  const allowed = reset && visibleReset(reset);
  if (session) {
    const { id, user } = session;
    return { status: "signed_in", session: { id, user }, pending, reset: allowed };
  }
  if (pending) {
    return { status: "pending", session: null, pending, reset: null };
  }
  return allowed
    ? { status: "reset_allowed", session: null, pending: null, reset: allowed }
    : { status: "signed_out", session: null, pending: null, reset: null };
}

export function visiblePending({ token: _, ...visible }: HeldPending): PendingChallenge {
  return visible;
}

export function visibleReset({ token: _, ...visible }: HeldReset): ResetPermission {
  return visible;
}

/** A pending step-up or phone change ends with its session; a login doesn't. */
export function withoutSession(holding: Holding): Holding {
  const { pending } = holding;
  const outlives = pending !== null && !["step_up", "phone_change"].includes(pending.purpose);
  return { ...holding, session: null, pending: outlives ? pending : null };
}
