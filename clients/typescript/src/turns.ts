/** One at a time, over all tabs where there are Web Locks. */

import type { Locks } from "./types.js";

export type TakeTurns = <T>(work: () => Promise<T>) => Promise<T>;

/** A page that was put to sleep may hold a lock for hours. */
const PATIENCE = 12_000; // milliseconds; longer than a refresh may take

/**
 * Where the lock doesn't come in time, or there are no locks, the work is done all the same: the service
 * gives the newest tokens to whoever shows ones that were spent a moment ago, and what is written is compared
 * with what is there.
 */
export function newTurns(locks: Locks, name: string, patience = PATIENCE): TakeTurns {
  return async (work) => {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), patience);
    const begin = (): ReturnType<typeof work> => {
      clearTimeout(timer);
      return work();
    };
    try {
      return await locks.request(name, { signal: giveUp.signal }, begin);
    } catch (error) {
      if (!giveUp.signal.aborted) {
        throw error;
      }
      return await work();
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Of the browser; elsewhere, and on pages without TLS, those of this page alone. */
export function defaultLocks(): Locks {
  return globalThis.navigator?.locks ?? pageLocks();
}

/** Hands out locks within one page. */
export function pageLocks(): Locks {
  const lastOf = new Map<string, Promise<void>>();
  return {
    async request(name, { signal }, callback) {
      const before = lastOf.get(name) ?? Promise.resolve();
      let release = (): void => {};
      const mine = new Promise<void>((resolve) => {
        release = resolve;
      });
      lastOf.set(
        name,
        before.then(() => mine),
      );
      try {
        await orAborted(before, signal);
        return await callback();
      } finally {
        release();
      }
    },
  };
}

function orAborted(waiting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    void waiting.then(resolve);
  });
}
