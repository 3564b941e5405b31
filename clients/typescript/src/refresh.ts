/** Refresh: one at a time over all tabs, and only a definite no ends the session. */

import { refusal } from "./answers.js";
import { ConnectionError, isDefinite, NotReadyError, type ProblemError } from "./errors.js";
import type { Holder } from "./holder.js";
import type { Tokens } from "./openapi.js";
import { type HeldSession, withoutSession } from "./record.js";
import type { Service } from "./service.js";
import { sessionOf } from "./sessions.js";
import type { TakeTurns } from "./turns.js";

/**
 * A token that was spent while its answer got lost still brings the newest one, for 10 seconds. So a lost
 * answer is asked for again at once, and never so late that it would look like theft.
 */
const PAUSES = [100, 400, 1000]; // milliseconds
const TIMEOUT = 3000;
const LAST_START = 7000; // after the first

const SIGNED_OUT = "Nobody is signed in here.";

export class Refresher {
  readonly #service: Service;
  readonly #holder: Holder;
  readonly #takeTurns: TakeTurns;
  /** By the access token that was no good. */
  readonly #inFlight = new Map<string, Promise<HeldSession>>();

  constructor(service: Service, holder: Holder, takeTurns: TakeTurns) {
    this.#service = service;
    this.#holder = holder;
    this.#takeTurns = takeTurns;
  }

  /** The session, with an access token that is good for some time. */
  async fresh(): Promise<HeldSession> {
    const held = this.#session();
    return Date.now() < held.renewAt ? held : await this.renew(held.accessToken);
  }

  /** Trade the tokens, unless somebody has since `stale` was read. Throws ProblemError when the session is over. */
  renew(stale: string): Promise<HeldSession> {
    const running = this.#inFlight.get(stale);
    if (running !== undefined) {
      return running;
    }
    const started = this.#takeTurns((hasWaited) => this.#renewNow(stale, hasWaited)).finally(() =>
      this.#inFlight.delete(stale),
    );
    this.#inFlight.set(stale, started);
    return started;
  }

  /** Find a session of which the cookie alone knows. Null when there is none. */
  async adopt(): Promise<HeldSession | null> {
    return this.#takeTurns(async () => {
      const held = this.#holder.session;
      if (held) {
        return held;
      }
      const tokens = await this.#trade(null).catch(whenDefinite(() => null));
      if (tokens) {
        this.#holder.change((holding) => ({ ...holding, session: sessionOf(tokens) }));
      }
      return this.#holder.session;
    });
  }

  #session(): HeldSession {
    const held = this.#holder.session;
    if (!held) {
      throw new NotReadyError(SIGNED_OUT);
    }
    return held;
  }

  async #renewNow(stale: string, hasWaited: boolean): Promise<HeldSession> {
    if (hasWaited) {
      await this.#holder.heard(() => this.#holder.session?.accessToken !== stale);
    }
    const held = this.#session();
    if (held.accessToken !== stale) {
      return held; // another tab was quicker
    }
    const tokens = await this.#trade(held.refreshToken).catch(whenDefinite((no) => this.#end(held, no)));
    return this.#keep(held, tokens);
  }

  /** Write what came, unless the session went on or ended meanwhile, where there are no locks. */
  #keep(before: HeldSession, tokens: Tokens): HeldSession {
    const fresh = sessionOf(tokens);
    this.#holder.change((held) => {
      const current = held.session;
      if (current === null || !isSame(current, before)) {
        return held;
      }
      if (fresh.id !== before.id) {
        return { ...withoutSession(held), session: fresh };
      }
      // A step-up may have come between: its token tells of more.
      const { accessToken, renewAt } = current;
      const isElevated = accessToken !== before.accessToken;
      return { ...held, session: isElevated ? { ...fresh, accessToken, renewAt } : fresh };
    });
    const session = this.#session();
    if (session.id !== before.id) {
      throw new NotReadyError("Somebody else has signed in meanwhile. Look who, and begin again.");
    }
    return session;
  }

  #end(before: HeldSession, no: ProblemError): never {
    const current = this.#holder.session;
    if (current && isSame(current, before)) {
      this.#holder.endSession();
    }
    throw no;
  }

  async #trade(refreshToken: string | null): Promise<Tokens> {
    const began = Date.now();
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#ask(refreshToken);
      } catch (error) {
        const pause = PAUSES[tries];
        const isTooLate = pause === undefined || Date.now() + pause - began > LAST_START;
        if (!(error instanceof ConnectionError) || isTooLate) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  async #ask(refreshToken: string | null): Promise<Tokens> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), TIMEOUT);
    const request = new Request(`${this.#service.address}/api/v1/auth/token/refresh`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(refreshToken === null ? {} : { refresh_token: refreshToken }),
      signal: giveUp.signal,
    });
    try {
      return await tokensOf(request, this.#service);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function tokensOf(request: Request, service: Service): Promise<Tokens> {
  let response: Response;
  let body: unknown;
  try {
    response = await service.send(request);
    body = await response.json();
  } catch (error) {
    throw error instanceof ConnectionError
      ? error
      : new ConnectionError("The answer of a refresh got lost.", { cause: error });
  }
  if (!response.ok) {
    throw refusal(body, response);
  }
  if (!isTokens(body)) {
    throw new ConnectionError("The answer isn't the service's.", { status: response.status });
  }
  return body;
}

function isTokens(body: unknown): body is Tokens {
  return typeof body === "object" && body !== null && "status" in body && body.status === "authenticated";
}

/** That alone says that the session is over. Anything else may be better in a moment. */
function whenDefinite<T>(then: (no: ProblemError) => T): (error: unknown) => T {
  return (error) => {
    if (isDefinite(error)) {
      return then(error);
    }
    throw error;
  };
}

/** In cookie mode the cookie is the browser's, so the session says it. */
function isSame(one: HeldSession, other: HeldSession): boolean {
  return one.id === other.id && one.refreshToken === other.refreshToken;
}
