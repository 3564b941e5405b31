/** Holds session, pending code and reset in the storage, which all tabs share, and tells who listens. */

import type { User } from "./openapi.js";
import {
  type HeldPending,
  type HeldReset,
  type HeldSession,
  type Holding,
  publicState,
  read,
  withoutSession,
  write,
} from "./record.js";
import type { AuthState, AuthStorage } from "./types.js";

const LONGEST_DELAY = 150; // milliseconds

export type Change = (holding: Holding) => Holding;

export class Holder {
  readonly #storage: AuthStorage;
  readonly #listeners = new Set<(state: AuthState) => void>();
  readonly #unsubscribe: () => void;
  #state: AuthState;
  #told: string;
  /** What the storage didn't take; it counts as long as that stands there which stood there then. */
  #unwritten: { readonly entry: string | null; readonly beside: string | null } | null = null;

  constructor(storage: AuthStorage) {
    this.#storage = storage;
    this.#state = publicState(this.now);
    this.#told = JSON.stringify(this.#state);
    this.#unsubscribe = storage.subscribe?.(() => this.#tell()) ?? (() => {});
  }

  /** Read anew each time: another tab may have changed it just now. */
  get now(): Holding {
    const kept = this.#storage.read();
    return read(this.#unwritten?.beside === kept ? this.#unwritten.entry : kept);
  }

  get session(): HeldSession | null {
    return this.now.session;
  }

  get pending(): HeldPending | null {
    return this.now.pending;
  }

  get reset(): HeldReset | null {
    return this.now.reset;
  }

  /** The same object until something visible changes. */
  get state(): AuthState {
    this.#look();
    return this.#state;
  }

  onChange(listener: (state: AuthState) => void): () => void {
    // Wrapped, so that a listener that is given twice is told twice and stops one at a time.
    const entry = (state: AuthState): void => listener(state);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  close(): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }

  /** Between reading and writing nothing may wait. */
  change(change: Change): void {
    this.#put(change(this.now));
  }

  /** Change the session, if there still is one. */
  changeSession(change: (session: HeldSession) => HeldSession): void {
    this.change((held) => (held.session ? { ...held, session: change(held.session) } : held));
  }

  endSession(): void {
    this.change(withoutSession);
  }

  /** Change the pending code, or end it by null, unless another one has taken its place. */
  changePending(token: string, change: (pending: HeldPending) => HeldPending | null): void {
    this.change((held) =>
      held.pending?.token === token ? { ...held, pending: change(held.pending) } : held,
    );
  }

  /** End the pending code with what its proof changes, in one. False, and nothing done, when it is gone. */
  takePending(token: string, change: Change): boolean {
    const held = this.now;
    if (held.pending?.token !== token) {
      return false;
    }
    this.#put(change({ ...held, pending: null }));
    return true;
  }

  /** What was heard of the user is shown everywhere. */
  know(user: User): void {
    this.changeSession((session) => (session.user.id === user.id ? { ...session, user } : session));
  }

  endReset(token: string): void {
    this.change((held) => (held.reset?.token === token ? { ...held, reset: null } : held));
  }

  /** Browsers hand localStorage from tab to tab with a delay: wait for what another one has written just now. */
  async heard(isHere: () => boolean): Promise<void> {
    if (isHere() || !this.#storage.subscribe) {
      return;
    }
    let stop = (): void => {};
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LONGEST_DELAY);
      const unsubscribe = this.#storage.subscribe?.(() => isHere() && resolve());
      stop = () => {
        clearTimeout(timer);
        unsubscribe?.();
      };
    });
    stop();
  }

  #put(holding: Holding): void {
    const entry = write(holding);
    try {
      this.#storage.write(entry);
      this.#unwritten = null;
    } catch {
      this.#unwritten = { entry, beside: this.#storage.read() };
      this.#removeSpent(holding);
    }
    this.#tell();
  }

  /** Nobody shall begin with a session that has ended, or show a refresh token again that was spent. */
  #removeSpent({ session }: Holding): void {
    const { beside = null, entry = null } = this.#unwritten ?? {};
    const old = read(beside).session;
    if (!old || (session?.id === old.id && session.refreshToken === old.refreshToken)) {
      return;
    }
    const kept = this.#unwritten;
    this.#unwritten = { entry, beside: null }; // before others hear of it
    try {
      this.#storage.write(null);
    } catch {
      this.#unwritten = kept;
    }
  }

  #look(): boolean {
    const state = publicState(this.now);
    const text = JSON.stringify(state);
    if (text === JSON.stringify(this.#state)) {
      return false;
    }
    this.#state = state;
    return true;
  }

  #tell(): void {
    this.#look();
    const text = JSON.stringify(this.#state);
    if (text === this.#told) {
      return;
    }
    this.#told = text;
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#state);
      } catch (error) {
        queueMicrotask(() => {
          throw error; // it is the page's own mistake, and nobody else's
        });
      }
    }
  }
}
