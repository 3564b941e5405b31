/** Sign-out: here at once, at the service as soon as it can be told. */

import { unwrap } from "./answers.js";
import { ConnectionError, isDefinite } from "./errors.js";
import type { Holder } from "./holder.js";
import type { LogoutBody, Tokens } from "./openapi.js";
import { withoutSession } from "./record.js";
import type { Service } from "./service.js";
import type { Api } from "./types.js";

interface Parts {
  readonly api: Api;
  readonly service: Service;
  readonly holder: Holder;
  /** Survives a reload, as the cookie does: there it is written that the service doesn't know of a logout yet. */
  readonly lasting: Holder;
}

export class Leaving {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** In cookie mode: the logout of which the service doesn't know yet. Until it does the cookie means nobody. */
  get untold(): LogoutBody | null {
    return this.#parts.lasting.now.untold;
  }

  async logOut(body: LogoutBody): Promise<void> {
    const { api, service, holder } = this.#parts;
    const before = holder.session;
    if (!before && !service.usesCookie) {
      return;
    }
    this.#remember(body);
    try {
      await unwrap(api.POST("/api/v1/auth/logout", { body }));
      this.settled();
    } catch (error) {
      if (!isDefinite(error)) {
        throw error; // it may live on there
      }
      this.settled();
    } finally {
      holder.change((held) => (held.session?.id === before?.id ? withoutSession(held) : held));
    }
  }

  /** End a session that was never held here, by its own token. */
  async dismiss({ access_token }: Tokens): Promise<void> {
    const { service, holder } = this.#parts;
    const request = new Request(`${service.address}/api/v1/auth/logout`, {
      method: "POST",
      headers: { Authorization: `Bearer ${access_token}` },
    });
    if (!holder.session) {
      this.#remember({});
    }
    try {
      const { ok } = await service.send(request);
      if (ok) {
        this.settled();
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        throw error;
      }
    }
  }

  /** The cookie is gone, or somebody's again. */
  settled(): void {
    this.#parts.lasting.change((held) => ({ ...held, untold: null }));
  }

  #remember(body: LogoutBody): void {
    if (this.#parts.service.usesCookie) {
      this.#parts.lasting.change((held) => ({ ...held, untold: body }));
    }
  }
}
