/** Requests to the service, without any token. */

import { ConnectionError } from "./errors.js";
import type { OtpAuthOptions } from "./types.js";

export interface Service {
  /** Without a slash at its end. */
  readonly address: string;
  readonly origin: string;
  readonly usesCookie: boolean;
  /** Throws ConnectionError; an abort by the caller stays what it is. */
  send(request: Request): Promise<Response>;
  /** Null for addresses that aren't the service's. */
  pathOf(url: string): string | null;
}

export function newService(options: OtpAuthOptions): Service {
  const base = new URL(options.baseUrl);
  const usesCookie = options.transport === "cookie";
  const fetch = options.fetch ?? ((request: Request) => globalThis.fetch(request));
  const prefix = base.pathname.replace(/\/+$/, "");
  const pathOf = (url: string): string | null => {
    const { origin, pathname } = new URL(url);
    const isOurs = origin === base.origin && pathname.startsWith(`${prefix}/`);
    return isOurs ? pathname.slice(prefix.length) : null;
  };
  const send = async (request: Request): Promise<Response> => {
    const dressed = pathOf(request.url) === null ? request : forService(request, usesCookie);
    try {
      return await fetch(dressed);
    } catch (error) {
      if (request.signal.aborted) {
        throw error;
      }
      throw new ConnectionError("No answer came.", { cause: error });
    }
  };
  const { origin } = base;
  return { address: `${origin}${prefix}`, origin, usesCookie, send, pathOf };
}

/** The service redirects nobody. Whoever does so in its name would get passwords and refresh tokens to see. */
function forService(request: Request, usesCookie: boolean): Request {
  const dressed = new Request(request, { redirect: "error", ...(usesCookie && { credentials: "include" }) });
  if (usesCookie) {
    dressed.headers.set("X-Token-Transport", "cookie");
  }
  return dressed;
}
