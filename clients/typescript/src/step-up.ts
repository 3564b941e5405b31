/** Step-up (RFC 9470): the page asks for a fresh proof, once for all requests that wait for one. */

import type { BearerRefusal } from "./bearer.js";
import type { Holder } from "./holder.js";
import type { HeldSession } from "./record.js";
import type { StepUpChallenge, StepUpHandler } from "./types.js";

export class StepUps {
  readonly #holder: Holder;
  readonly #ask: StepUpHandler | undefined;
  #running: Promise<boolean> | null = null;

  constructor(holder: Holder, ask: StepUpHandler | undefined) {
    this.#holder = holder;
    this.#ask = ask;
  }

  /** The session with the token of a fresh proof; null when there is none. */
  async proveFor(refused: HeldSession, wanted: BearerRefusal): Promise<HeldSession | null> {
    if (!this.#ask) {
      return null;
    }
    this.#running ??= this.#ask(challengeOf(wanted)).finally(() => {
      this.#running = null;
    });
    const isProved = await this.#running;
    const session = this.#holder.session;
    const isElevated = session?.id === refused.id && session.accessToken !== refused.accessToken;
    return isProved && isElevated ? session : null;
  }
}

function challengeOf({ parameters }: BearerRefusal): StepUpChallenge {
  const maxAge = Number(parameters["max_age"] ?? Number.NaN);
  return { acrValues: parameters["acr_values"] ?? null, maxAge: Number.isInteger(maxAge) ? maxAge : null };
}
