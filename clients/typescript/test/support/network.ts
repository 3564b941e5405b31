/** The way to the service: really taken, watched, and now and then disturbed. */

type Fetch = (request: Request) => Promise<Response>;

export interface Network {
  readonly fetch: Fetch;
  /** `POST /auth/login 200`, in the order of the answers; without a number: none came. */
  readonly log: readonly string[];
  /** How many requests of a kind were sent: `POST /auth/token/refresh`. */
  count(what: string): number;
  forget(): void;
  /** The next answers of a kind are lost, though the service has given them. */
  loseAnswers(what: string, times: number): void;
  /** Nothing of this kind reaches the service, until `mend`. */
  cut(what: string): void;
  /** The next requests of a kind wait on their way until `go` is called. */
  hold(what: string, where: "before" | "after"): { arrived: Promise<void>; go(): void };
  mend(): void;
}

interface Disturbance {
  readonly what: string;
  times: number;
  meet(send: () => Promise<Response>): Promise<Response>;
}

export function network(take: Fetch = (request) => fetch(request)): Network {
  const log: string[] = [];
  const sent: string[] = [];
  let disturbances: Disturbance[] = [];

  const pass = async (what: string, request: Request): Promise<Response> => {
    const found = disturbances.find((each) => each.what === what && each.times > 0);
    const send = (): Promise<Response> => take(request);
    if (!found) {
      return await send();
    }
    found.times -= 1;
    return await found.meet(send);
  };
  return {
    log,
    async fetch(request) {
      const what = `${request.method} ${new URL(request.url).pathname.replace("/api/v1", "")}`;
      sent.push(what);
      try {
        const response = await pass(what, request);
        log.push(`${what} ${response.status}`);
        return response;
      } catch (error) {
        log.push(what);
        throw error;
      }
    },
    count: (what) => sent.filter((each) => each === what).length,
    forget() {
      log.length = 0;
      sent.length = 0;
    },
    loseAnswers(what, times) {
      disturbances.push({ what, times, meet: (send) => send().then(lost) });
    },
    cut(what) {
      disturbances.push({ what, times: Number.POSITIVE_INFINITY, meet: async () => lost() });
    },
    hold(what, where) {
      const arrived = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const meet = async (send: () => Promise<Response>): Promise<Response> => {
        const early = where === "after" ? await send() : null;
        arrived.resolve();
        await gate.promise;
        return early ?? (await send());
      };
      disturbances.push({ what, times: 1, meet });
      return { arrived: arrived.promise, go: gate.resolve };
    },
    mend() {
      disturbances = [];
    },
  };
}

function lost(): never {
  throw new TypeError("fetch failed");
}
