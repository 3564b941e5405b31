/** Puts the parts together. */

import createClient from "openapi-fetch";
import { newAccount } from "./account.js";
import { Authorized } from "./authorized.js";
import { newCeremonies } from "./ceremonies.js";
import { ConnectionError, ProblemError } from "./errors.js";
import { Holder } from "./holder.js";
import { Leaving } from "./leaving.js";
import type { paths } from "./openapi.js";
import { Refresher } from "./refresh.js";
import { newService, type Service } from "./service.js";
import { StepUps } from "./step-up.js";
import { defaultStorage } from "./storage.js";
import { defaultLocks, newTurns } from "./turns.js";
import type { AuthStorage, OtpAuth, OtpAuthOptions } from "./types.js";

interface Parts {
  readonly service: Service;
  readonly storage: AuthStorage;
  readonly holder: Holder;
  readonly refresher: Refresher;
  readonly leaving: Leaving;
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
  const forgets = service.usesCookie && storage.forgets;
  const lasting = forgets ? new Holder(defaultStorage(`${key} logout`)) : holder;
  const leaving = new Leaving({ api, service, holder, lasting });
  const parts: Parts = { service, storage, holder, refresher, leaving };
  const allowed = new Set([service.origin, ...(options.apiOrigins ?? []).map((url) => new URL(url).origin)]);
  const ceremonies = newCeremonies({ api, holder, leaving, takeTurns });
  return {
    get state() {
      return holder.state;
    },
    onChange: (listener) => holder.onChange(listener),
    close() {
      holder.close();
      lasting.close();
    },
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
    logOut: (body = {}) => leaving.logOut(body),
    forgetDevice: () => holder.change((held) => ({ ...held, deviceToken: null })),
  };
}

async function restore(parts: Parts, look: OtpAuth["getChallenge"]) {
  const { holder, service, storage, refresher, leaving } = parts;
  if (leaving.untold) {
    await leaving.logOut(leaving.untold).catch(unlessOver);
  } else if (holder.session) {
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

function refuseOthers(allowed: ReadonlySet<string>, url: string): void {
  const { origin } = new URL(url);
  if (!allowed.has(origin)) {
    throw new TypeError(`${origin} isn't among apiOrigins: it doesn't get the access token.`);
  }
}
