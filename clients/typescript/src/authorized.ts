/** Requests with the token that their address wants; refreshed and stepped up where the answer asks for it. */

import { bearerRefusal } from "./bearer.js";
import { type Credential, credentialOf } from "./credentials.js";
import { isDefinite, NotReadyError } from "./errors.js";
import type { Holder } from "./holder.js";
import type { HeldSession } from "./record.js";
import type { Refresher } from "./refresh.js";
import type { Service } from "./service.js";
import type { StepUps } from "./step-up.js";

/** What may help after a refusal: null where it doesn't fit, or where it didn't help. */
type Remedy = (response: Response, refused: HeldSession) => Promise<HeldSession | null> | null;

export class Authorized {
  readonly #service: Service;
  readonly #holder: Holder;
  readonly #refresher: Refresher;
  readonly #stepUps: StepUps;

  constructor(service: Service, holder: Holder, refresher: Refresher, stepUps: StepUps) {
    this.#service = service;
    this.#holder = holder;
    this.#refresher = refresher;
    this.#stepUps = stepUps;
  }

  /** Send a request to the service. */
  async send(request: Request): Promise<Response> {
    const credential = credentialOf(this.#service.pathOf(request.url) ?? "");
    return credential === "access" || (credential === "leaving" && !this.#service.usesCookie)
      ? await this.sendWithAccess(request)
      : await this.#service.send(this.#withTokenFor(credential, request));
  }

  /** Send a request with the access token: at most once more for each of a refresh and a step-up. */
  async sendWithAccess(request: Request): Promise<Response> {
    const remedies: Remedy[] = [
      (response, refused) => this.#afterRefresh(response, refused),
      (response, refused) => this.#afterOthersStepUp(response, refused),
      (response, refused) => this.#afterStepUp(response, refused),
    ];
    let session = await this.#refresher.fresh();
    for (;;) {
      const response = await this.#service.send(withToken(request.clone(), session.accessToken));
      if (response.status !== 401) {
        return response;
      }
      const better = await this.#remedied(response, session, remedies);
      if (better === null) {
        return response;
      }
      await response.body?.cancel();
      session = better;
    }
  }

  /** Try what fits, and each thing once: a remedy that was tried leaves the list. */
  async #remedied(response: Response, refused: HeldSession, remedies: Remedy[]): Promise<HeldSession | null> {
    for (const remedy of [...remedies]) {
      const better = remedy(response, refused);
      if (better !== null) {
        remedies.splice(remedies.indexOf(remedy), 1);
        const session = await better;
        if (session !== null) {
          return session;
        }
      }
    }
    return null;
  }

  #afterRefresh(response: Response, refused: HeldSession): Promise<HeldSession | null> | null {
    if (!says(response, "invalid_token")) {
      return null;
    }
    const ended = (error: unknown): null => {
      if (error instanceof NotReadyError || isDefinite(error)) {
        return null; // the first refusal says it as well
      }
      throw error;
    };
    return this.#refresher.renew(refused.accessToken).catch(ended);
  }

  /** Another request's step-up may have come to its end while this one was on its way. */
  #afterOthersStepUp(response: Response, refused: HeldSession): Promise<HeldSession | null> | null {
    const current = this.#holder.session;
    const isAnother = current?.id === refused.id && current.accessToken !== refused.accessToken;
    return isAnother && says(response, STEP_UP) ? Promise.resolve(current) : null;
  }

  #afterStepUp(response: Response, refused: HeldSession): Promise<HeldSession | null> | null {
    const wanted = bearerRefusal(response.headers.get("WWW-Authenticate"));
    return wanted?.error === STEP_UP ? this.#stepUps.proveFor(refused, wanted) : null;
  }

  #withTokenFor(credential: Exclude<Credential, "access">, request: Request): Request {
    const { session, pending, reset } = this.#holder.now;
    switch (credential) {
      case "none":
        return request;
      case "leaving": // by the cookie; the access token beside it may have ended
        return session ? withToken(request, session.accessToken) : request;
      case "pending":
        return withToken(request, token(pending, "No code is pending: begin with logIn or the like."));
      case "reset":
        return withToken(request, token(reset, "No reset is permitted: begin with forgotPassword."));
    }
  }
}

const STEP_UP = "insufficient_user_authentication";

function says(response: Response, error: string): boolean {
  return bearerRefusal(response.headers.get("WWW-Authenticate"))?.error === error;
}

function token(held: { readonly token: string } | null, otherwise: string): string {
  if (held === null) {
    throw new NotReadyError(otherwise);
  }
  return held.token;
}

function withToken(request: Request, token: string): Request {
  request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}
