import { afterEach, expect, inject, test, vi } from "vitest";
import { type AuthStorage, ConnectionError, type Locks, memoryStorage, NotReadyError } from "../src/index.js";
import { member, type Person, somebody } from "./support/person.js";

const REFRESH = "POST /auth/token/refresh";
const ME = "GET /me";
/** As on a page without TLS: nobody waits for anybody. */
const NO_LOCKS: Locks = { request: (_name, _options, callback) => callback({}) };

afterEach(() => {
  vi.useRealTimers();
});

/** The clock goes on until the access token is due. */
function becomeDue(minutes = 10): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + minutes * 60_000 });
}

/** The service itself no longer takes the access token, and this machine's clock doesn't say so. */
async function expire({ auth }: Person): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 60_000 });
  const headers = { Authorization: `Bearer ${await auth.accessToken()}` };
  await vi.waitUntil(
    async () => (await fetch(`${inject("shortLived")}/api/v1/me`, { headers })).status === 401,
    { timeout: 10_000, interval: 250 },
  );
}

/** Writes are there for oneself at once, and for others a little later. */
function lateStorage(shared: AuthStorage): AuthStorage {
  let seen = shared.read();
  const listeners = new Set<() => void>();
  shared.subscribe?.(() => {
    setTimeout(() => {
      seen = shared.read();
      for (const listener of listeners) {
        listener();
      }
    }, 40);
  });
  return {
    read: () => seen,
    write(entry) {
      seen = entry;
      shared.write(entry);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function times<T>(number: number, work: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: number }, work));
}

test("twenty calls at once, shortly before the end of the token: one refresh", async () => {
  const { auth, network } = await member();
  becomeDue();

  const answers = await times(20, () => auth.getMe());

  expect(new Set(answers.map((user) => user.id)).size).toBe(1);
  expect(network.count(REFRESH)).toBe(1);
  expect(network.log.filter((line) => line === "GET /me 200")).toHaveLength(20);
});

test.each([
  [9.4, 0],
  [9.6, 1],
])("after %f of ten minutes: %i refreshes", async (minutes, refreshes) => {
  const { auth, network } = await member();
  becomeDue(minutes);

  await auth.getMe();

  expect(network.count(REFRESH)).toBe(refreshes);
});

test("twenty calls at once with a token that the service no longer takes: one refresh", async () => {
  const person = await member({}, inject("shortLived"));
  await expire(person);
  person.network.forget();

  await times(20, () => person.auth.getMe());

  expect(person.network.count(REFRESH)).toBe(1);
  expect(person.network.log.filter((line) => line === "GET /me 401")).toHaveLength(20);
});

test("three tabs: one refresh", async () => {
  const { auth, network, tab } = await member();
  const tabs = [auth, tab(), tab()];
  becomeDue();

  await Promise.all(tabs.flatMap((each) => [each.getMe(), each.listSessions(), each.accessToken()]));

  expect(network.count(REFRESH)).toBe(1);
  expect(new Set(await Promise.all(tabs.map((each) => each.accessToken()))).size).toBe(1);
});

test("three tabs that hear of each other late, as browsers have it: one refresh", async () => {
  const shared = memoryStorage();
  const { network, tab } = await member({ storage: shared });
  const tabs = [shared, shared, shared].map((storage) => tab({ storage: lateStorage(storage) }));
  becomeDue();

  await Promise.all(tabs.map((each) => each.getMe()));

  expect(network.count(REFRESH)).toBe(1);
});

test("three tabs without locks: all stay signed in, with the newest tokens of one family", async () => {
  const { auth, network, tab } = await member({ locks: NO_LOCKS });
  const tabs = [auth, tab(), tab()];
  for (const round of [1, 2, 3]) {
    becomeDue();
    await Promise.all(tabs.map((each) => each.getMe()));
    expect(network.count(REFRESH)).toBe(3 * round);
  }

  becomeDue();
  await tab().getMe();
  expect(tabs.map((each) => each.state.status)).toEqual(Array(3).fill("signed_in"));
  expect((await auth.listSessions()).items).toHaveLength(1);
});

test("without locks a late answer doesn't put back what was newer", async () => {
  const storage = memoryStorage();
  const { auth, network, tab } = await member({ locks: NO_LOCKS, storage });
  const other = tab();
  const late = network.hold(REFRESH, "after");
  becomeDue();
  const waiting = auth.getMe();
  await late.arrived;
  await other.refreshTokens();
  await other.refreshTokens();
  const newest = storage.read();

  late.go();
  await waiting;

  expect(storage.read()).toBe(newest);
});

test("a lost answer is asked for again, and the session goes on", async () => {
  const { auth, network } = await member();
  becomeDue();
  network.loseAnswers(REFRESH, 2);

  await auth.getMe();

  expect(network.count(REFRESH)).toBe(3);
  await auth.refreshTokens(); // the token that came is the newest of its family
  expect(auth.state.status).toBe("signed_in");
});

test("an answer that doesn't come is asked for again, and never so late that it looks like theft", async () => {
  const sentAt: number[] = [];
  let isSilent = false;
  const { auth } = await member({
    fetch: async (request) => {
      if (isSilent) {
        sentAt.push(Date.now());
        await new Promise((_, reject) => request.signal.addEventListener("abort", reject));
      }
      return await fetch(request);
    },
  });
  isSilent = true;
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  const began = Date.now();

  const refused = expect(auth.refreshTokens()).rejects.toBeInstanceOf(ConnectionError);
  await vi.advanceTimersByTimeAsync(60_000);
  await refused;

  expect(sentAt.map((at) => at - began)).toEqual([0, 3100, 6500]);
  expect(auth.state.status).toBe("signed_in");
});

test("nobody is logged out by a network that is down", async () => {
  const { auth, network, tab } = await member();
  becomeDue();
  network.cut(REFRESH);

  await expect(auth.getMe()).rejects.toBeInstanceOf(ConnectionError);
  expect(network.count(ME)).toBe(0);
  const reloaded = tab();
  expect((await reloaded.restore()).status).toBe("signed_in");

  network.mend();
  await reloaded.getMe();
});

test.each([
  ["a broken proxy", () => new Response("<h1>Bad gateway</h1>", { status: 502 })],
  ["the page of a hotel", () => new Response("<h1>Sign in to the wireless network</h1>", { status: 401 })],
  ["something else's JSON", () => Response.json({ welcome: "to the hotel" })],
  [
    "a proxy that says 401 in a 502",
    () => Response.json({ code: "invalid_token", status: 401 }, { status: 502 }),
  ],
  ["a gateway's own 401", () => Response.json({ code: "NO_KEY", status: 401 }, { status: 401 })],
  ["a gateway's 403", () => Response.json({ code: "invalid_token", status: 401 }, { status: 403 })],
  ["no place in a queue", () => Response.json({ code: "overloaded", status: 503 }, { status: 503 })],
])("nor by %s", async (_, answer) => {
  let isInTheWay = false;
  const { auth } = await member({
    fetch: async (request) =>
      isInTheWay && request.url.endsWith("/refresh") ? answer() : await fetch(request),
  });
  becomeDue();

  isInTheWay = true;
  await expect(auth.getMe()).rejects.toThrow();
  expect(auth.state.status).toBe("signed_in");
  isInTheWay = false;
  await auth.getMe();
});

test("a definite no ends the session, in every tab", async () => {
  const { auth, network, tab } = await member();
  const other = tab();
  const seen: string[] = [];
  other.onChange((state) => seen.push(state.status));
  const { items } = await auth.listSessions();
  const token = await auth.accessToken();
  const headers = { Authorization: `Bearer ${token}` };
  await fetch(`${inject("service")}/api/v1/me/sessions/${items[0]?.id}`, { method: "DELETE", headers });

  await expect(auth.getMe()).rejects.toMatchObject({ code: "invalid_token" });

  expect(network.count(REFRESH)).toBe(1);
  expect([auth.state.status, other.state.status, ...seen]).toEqual([
    "signed_out",
    "signed_out",
    "signed_out",
  ]);
  await expect(auth.getMe()).rejects.toBeInstanceOf(NotReadyError);
});

test("a token that was refused is refreshed once, and never for ever", async () => {
  const { auth, network } = await member({
    fetch: async (request) =>
      request.url.endsWith("/me")
        ? new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' } })
        : await fetch(request),
  });

  await expect(auth.getMe()).rejects.toBeInstanceOf(ConnectionError);

  expect([network.count(REFRESH), network.count(ME)]).toEqual([1, 2]);
});

test("a logout in another tab is seen, and no refresh on its way undoes it", async () => {
  const { auth, network, tab } = await member();
  const other = tab();
  const seen: string[] = [];
  other.onChange((state) => seen.push(state.status));
  const late = network.hold(REFRESH, "after");
  becomeDue(0);
  const refreshing = other.refreshTokens();
  await late.arrived;

  await auth.logOut();
  late.go();

  await expect(refreshing).rejects.toBeInstanceOf(NotReadyError);
  expect(seen).toEqual(["signed_out"]);
  expect(other.state.status).toBe("signed_out");
});

test("a body is sent again as it was", async () => {
  const storage = memoryStorage();
  const { auth, network } = await member({ storage });
  storage.write(storage.read()?.replace(await auth.accessToken(), "no-token-of-ours") ?? null);

  expect((await auth.changeMe({ display_name: "Ada" })).display_name).toBe("Ada");
  expect(network.log).toEqual(["PATCH /me 401", `${REFRESH} 200`, "PATCH /me 200"]);
});

test("listeners hear what is to be seen, and nothing of refreshes", async () => {
  const { auth } = await member();
  const heard: unknown[] = [];
  const stop = auth.onChange((state) => heard.push(state.session?.user.display_name));
  const before = auth.state;

  await auth.refreshTokens();
  expect(auth.state).toBe(before);
  await auth.changeMe({ display_name: "Grace" });
  stop();
  await auth.changeMe({ display_name: "Ada" });

  expect(heard).toEqual(["Grace"]);
});

test("a page starts with what is in the storage, and with nothing where that is not ours", async () => {
  const storage = memoryStorage();
  for (const entry of ["", "{", "null", "[]", '"x"', '{"version":0,"session":{}}']) {
    storage.write(entry);
    expect(somebody({ storage }).auth.state.status).toBe("signed_out");
  }
});
