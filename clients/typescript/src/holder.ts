/** Holds session, ceremony and reset in the storage, which all tabs share, and tells who listens. */

import {
  type HeldCeremony,
  type HeldReset,
  type HeldSession,
  type Holding,
  publicState,
  read,
  withoutSession,
  write,
} from "./record.js";
import type { AuthState, AuthStorage } from "./types.js";

type Change = (holding: Holding) => Holding;

export class Holder {
  readonly #storage: AuthStorage;
  readonly #listeners = new Set<(state: AuthState) => void>();
  readonly #unsubscribe: () => void;
  #state: AuthState;
  #told: string;

  constructor(storage: AuthStorage) {
    this.#storage = storage;
    this.#state = publicState(this.now);
    this.#told = JSON.stringify(this.#state);
    this.#unsubscribe = storage.subscribe?.(() => this.#tell()) ?? (() => {});
  }

  /** Read anew each time: another tab may have changed it just now. */
  get now(): Holding {
    return read(this.#storage.read());
  }

  get session(): HeldSession | null {
    return this.now.session;
  }

  get ceremony(): HeldCeremony | null {
    return this.now.ceremony;
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
    this.#storage.write(write(change(this.now)));
    this.#tell();
  }

  /** Change the session, if there still is one. */
  changeSession(change: (session: HeldSession) => HeldSession): void {
    this.change((held) => (held.session ? { ...held, session: change(held.session) } : held));
  }

  endSession(): void {
    this.change(withoutSession);
  }

  /** Change the ceremony, or end it by null, unless another one has taken its place. */
  changeCeremony(token: string, change: (ceremony: HeldCeremony) => HeldCeremony | null): void {
    this.change((held) =>
      held.ceremony?.token === token ? { ...held, ceremony: change(held.ceremony) } : held,
    );
  }

  endReset(token: string): void {
    this.change((held) => (held.reset?.token === token ? { ...held, reset: null } : held));
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
