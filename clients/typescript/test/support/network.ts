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

type Send = () => Promise<Response>;
type Meeting = (what: string, send: Send) => Promise<Response>;

interface Disturbance {
  readonly what: string;
  times: number;
  meet(send: Send): Promise<Response>;
}

export function network(take: Fetch = (request) => fetch(request)): Network {
  const log: string[] = [];
  const sent: string[] = [];
  const { meet, ...disturbing } = disturbances();
  return {
    log,
    async fetch(request) {
      const what = `${request.method} ${new URL(request.url).pathname.replace("/api/v1", "")}`;
      sent.push(what);
      try {
        const response = await meet(what, () => take(request));
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
    ...disturbing,
  };
}

function disturbances(): Pick<Network, "loseAnswers" | "cut" | "hold" | "mend"> & { meet: Meeting } {
  let all: Disturbance[] = [];
  return {
    async meet(what, send) {
      const found = all.find((each) => each.what === what && each.times > 0);
      if (!found) {
        return await send();
      }
      found.times -= 1;
      return await found.meet(send);
    },
    loseAnswers(what, times) {
      all.push({ what, times, meet: (send) => send().then(lost) });
    },
    cut(what) {
      all.push({ what, times: Number.POSITIVE_INFINITY, meet: async () => lost() });
    },
    hold(what, where) {
      const { meet, arrived, go } = gate(where);
      all.push({ what, times: 1, meet });
      return { arrived, go };
    },
    mend() {
      all = [];
    },
  };
}

/** Stops one request, before or after the service has seen it, until `go` is called. */
function gate(where: "before" | "after") {
  const arrival = Promise.withResolvers<void>();
  const departure = Promise.withResolvers<void>();
  const meet = async (send: Send): Promise<Response> => {
    const early = where === "after" ? await send() : null;
    arrival.resolve();
    await departure.promise;
    return early ?? (await send());
  };
  return { meet, arrived: arrival.promise, go: departure.resolve };
}

function lost(): never {
  throw new TypeError("fetch failed");
}
