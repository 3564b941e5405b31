/** One at a time, over all tabs where there are Web Locks. */

import type { Locks } from "./types.js";

type Work<T> = (hasWaited: boolean) => Promise<T>;
export type TakeTurns = <T>(work: Work<T>) => Promise<T>;

/** A page that was put to sleep may hold a lock for hours. */
const PATIENCE = 12_000; // milliseconds; longer than a refresh may take
const TAKEN = Symbol("taken");

/**
 * Where the lock doesn't come in time, or there are no locks, the work is done all the same: the service
 * gives the newest tokens to whoever shows ones that were spent a moment ago, and what is written is compared
 * with what is there.
 */
export function newTurns(locks: Locks, name: string, patience = PATIENCE): TakeTurns {
  return async (work) => {
    const atOnce = await locks.request(name, { ifAvailable: true }, async (lock) =>
      lock === null ? TAKEN : await work(false),
    );
    return atOnce === TAKEN ? await waitAndWork(locks, name, patience, work) : atOnce;
  };
}

async function waitAndWork<T>(locks: Locks, name: string, patience: number, work: Work<T>): Promise<T> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), patience);
  const begin = (): Promise<T> => {
    clearTimeout(timer);
    return work(true);
  };
  try {
    return await locks.request(name, { signal: giveUp.signal }, begin);
  } catch (error) {
    if (!giveUp.signal.aborted) {
      throw error;
    }
    return await work(true);
  } finally {
    clearTimeout(timer);
  }
}

/** Of the browser; elsewhere, and on pages without TLS, those of this page alone. */
export function defaultLocks(): Locks {
  return globalThis.navigator?.locks ?? pageLocks();
}

/** Hands out locks within one page. */
export function pageLocks(): Locks {
  const lastOf = new Map<string, Promise<void>>();
  return {
    async request(name, { signal, ifAvailable = false }, callback) {
      const before = lastOf.get(name);
      if (ifAvailable && before !== undefined) {
        return await callback(null);
      }
      let release = (): void => {};
      const mine = new Promise<void>((resolve) => {
        release = resolve;
      });
      const last = (before ?? Promise.resolve()).then(() => mine);
      lastOf.set(name, last);
      try {
        await orAborted(before, signal);
        return await callback({ name });
      } finally {
        release();
        if (lastOf.get(name) === last) {
          lastOf.delete(name);
        }
      }
    },
  };
}

function orAborted(waiting: Promise<void> | undefined, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    void (waiting ?? Promise.resolve()).then(resolve);
  });
}
