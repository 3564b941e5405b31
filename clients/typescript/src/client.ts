/** Puts the parts together. */

import createClient from "openapi-fetch";
import { newAccount } from "./account.js";
import { unwrap } from "./answers.js";
import { Authorized } from "./authorized.js";
import { newCeremonies } from "./ceremonies.js";
import { ConnectionError, isDefinite, ProblemError } from "./errors.js";
import { Holder } from "./holder.js";
import type { paths } from "./openapi.js";
import { Refresher } from "./refresh.js";
import { newService, type Service } from "./service.js";
import { StepUps } from "./step-up.js";
import { defaultStorage } from "./storage.js";
import { defaultLocks, newTurns } from "./turns.js";
import type { Api, AuthStorage, OtpAuth, OtpAuthOptions } from "./types.js";

interface Parts {
  readonly api: Api;
  readonly service: Service;
  readonly storage: AuthStorage;
  readonly holder: Holder;
  readonly refresher: Refresher;
}

export function createOtpAuth(options: OtpAuthOptions): OtpAuth {
  const service = newService(options);
  const key = `otp-auth ${service.address}`;
  const storage = options.storage ?? defaultStorage(key);
  const holder = new Holder(storage);
  const takeTurns = newTurns(options.locks ?? defaultLocks(), key);
  const refresher = new Refresher(service, holder, takeTurns);
  const authorized = new Authorized(service, holder, refresher, new StepUps(holder, options.onStepUp));
  const api = createClient<paths>({ baseUrl: service.address, fetch: (request) => authorized.send(request) });
  const parts: Parts = { api, service, storage, holder, refresher };
  const allowed = new Set([service.origin, ...(options.apiOrigins ?? []).map((url) => new URL(url).origin)]);
  const ceremonies = newCeremonies({ api, service, holder, takeTurns });
  return {
    get state() {
      return holder.state;
    },
    onChange: (listener) => holder.onChange(listener),
    close: () => holder.close(),
    restore: () => restore(parts, ceremonies.getChallenge),
    api,
    async fetch(input, init) {
      const request = new Request(input, init);
      refuseOthers(allowed, request.url);
      return await authorized.sendWithAccess(request);
    },
    accessToken: async () => (await refresher.fresh()).accessToken,
    ...ceremonies,
    ...newAccount(api, holder),
    async refreshTokens() {
      const { accessToken } = await refresher.fresh();
      const { id, user } = await refresher.renew(accessToken);
      return { status: "authenticated", session_id: id, user };
    },
    logOut: (body = {}) => logOut(parts, body),
    forgetDevice: () => holder.change((held) => ({ ...held, deviceToken: null })),
  };
}

async function restore({ holder, service, storage, refresher }: Parts, look: OtpAuth["getChallenge"]) {
  if (holder.session) {
    await refresher.fresh().catch(unlessOver);
  } else if (service.usesCookie && storage.forgets) {
    await refresher.adopt().catch(unlessOver);
  }
  if (holder.pending) {
    await look().catch(unlessOver);
  }
  return holder.state;
}

/** A page starts offline too, and what is over the state tells. */
function unlessOver(error: unknown): void {
  if (!(error instanceof ConnectionError || error instanceof ProblemError)) {
    throw error;
  }
}

async function logOut({ api, holder, service }: Parts, body: { everywhere?: boolean }): Promise<void> {
  if (!holder.session && !service.usesCookie) {
    return;
  }
  try {
    await unwrap(api.POST("/api/v1/auth/logout", { body }));
  } catch (error) {
    if (!isDefinite(error)) {
      throw error; // it may live on there
    }
  } finally {
    holder.endSession();
  }
}

function refuseOthers(allowed: ReadonlySet<string>, url: string): void {
  const { origin } = new URL(url);
  if (!allowed.has(origin)) {
    throw new TypeError(`${origin} isn't among apiOrigins: it doesn't get the access token.`);
  }
}
