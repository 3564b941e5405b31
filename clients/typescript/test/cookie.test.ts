import { afterEach, expect, test, vi } from "vitest";
import { type AuthStorage, ConnectionError, memoryStorage } from "../src/index.js";
import { jar } from "./support/cookies.js";
import { member, PASSWORD, somebody } from "./support/person.js";

const REFRESH = "POST /auth/token/refresh";

const LOGOUT = "POST /auth/logout";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function becomeDue(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10 * 60_000 });
}

/** Survives a reload, as localStorage does. */
function lastingStorage(): AuthStorage {
  return { ...memoryStorage(), forgets: false };
}

/** What a browser gives every page of an origin. */
function haveLocalStorage(): void {
  const kept = new Map<string, string>();
  const events = new EventTarget();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
  vi.stubGlobal("removeEventListener", events.removeEventListener.bind(events));
}

test("no script sees the refresh token", async () => {
  const [storage, browser] = [memoryStorage(), jar()];
  const { auth } = await member({ transport: "cookie", storage, fetch: browser.fetch });
  const token = browser.cookies.get("refresh") ?? "";

  expect(token).toMatch(/^[\w-]{43,}$/);
  expect(storage.read()).not.toContain(token);
  await auth.refreshTokens();
  expect(browser.cookies.get("refresh")).not.toBe(token);
  expect(storage.read()).not.toContain(browser.cookies.get("refresh"));
});

test("three tabs: one refresh", async () => {
  const browser = jar();
  const { auth, network, tab } = await member({ transport: "cookie", fetch: browser.fetch });
  const tabs = [auth, tab(), tab()];
  becomeDue();

  await Promise.all(tabs.map((each) => each.getMe()));

  expect(network.count(REFRESH)).toBe(1);
});

test("with nothing in the storage a reload finds the session by its cookie", async () => {
  const browser = jar();
  const { number, tab, network } = await member({ transport: "cookie", fetch: browser.fetch });
  const reloaded = tab({ storage: memoryStorage() });

  expect(reloaded.state.status).toBe("signed_out");
  expect(await reloaded.restore()).toMatchObject({
    status: "signed_in",
    session: { user: { phone_number: number } },
  });
  await reloaded.getMe();
  expect(network.count(REFRESH)).toBe(1);
});

test("without a cookie a reload asks once, and nobody is signed in", async () => {
  const browser = jar();
  const { auth, network } = somebody({ transport: "cookie", fetch: browser.fetch });

  expect((await auth.restore()).status).toBe("signed_out");
  expect(network.log).toEqual([`${REFRESH} 401`]);
});

test("a storage that lasts knows whether somebody is signed in: nothing is asked", async () => {
  const browser = jar();
  const { auth, network } = somebody({
    transport: "cookie",
    fetch: browser.fetch,
    storage: lastingStorage(),
  });

  await auth.restore();

  expect(network.log).toEqual([]);
});

test("a logout ends the session and the cookie, with an access token that has ended as well", async () => {
  const [storage, browser] = [memoryStorage(), jar()];
  const { auth, tab, network } = await member({ transport: "cookie", storage, fetch: browser.fetch });
  storage.write(storage.read()?.replace(await auth.accessToken(), "no-token-of-ours") ?? null);

  await auth.logOut();

  expect(network.log).toEqual(["POST /auth/logout 204"]);
  expect(browser.cookies.size).toBe(0);
  expect((await tab({ storage: memoryStorage() }).restore()).status).toBe("signed_out");
});

test("a cookie of somebody else doesn't do what the first one asked for", async () => {
  const browser = jar();
  const first = await member({ transport: "cookie", fetch: browser.fetch });
  // Another storage, the same cookies: as after a page has cleared its storage.
  const second = await member({ transport: "cookie", fetch: browser.fetch });
  becomeDue();

  await expect(first.auth.changeMe({ display_name: "Ada" })).rejects.toThrow("Somebody else");

  expect(first.auth.state.session?.user.phone_number).toBe(second.number);
  expect((await first.auth.getMe()).display_name).toBeNull();
});

test("a code and a refresh take turns, so that the newest cookie is the last", async () => {
  const browser = jar();
  const { auth, number, network, readCode, tab } = await member({
    transport: "cookie",
    fetch: browser.fetch,
  });
  const old = await auth.accessToken();
  await auth.logIn({ identifier: number, password: PASSWORD });
  const late = network.hold(REFRESH, "before");
  const refreshing = tab().refreshTokens();
  await late.arrived;
  const verifying = auth.verifyCode({ code: await readCode() });
  await new Promise((resolve) => setImmediate(resolve));
  expect(network.count("POST /auth/otp/verify")).toBe(0);

  late.go();
  await Promise.all([refreshing, verifying]);

  const id = auth.state.session?.id;
  expect(old).not.toBe(await auth.accessToken());
  await auth.refreshTokens();
  expect(auth.state.session?.id).toBe(id);
});

test("deleting the account leaves neither cookie nor entry", async () => {
  const [storage, browser] = [memoryStorage(), jar()];
  const { auth } = await member({ transport: "cookie", storage, fetch: browser.fetch });

  await auth.deleteMe();

  expect([storage.read(), browser.cookies.size, auth.state.status]).toEqual([null, 0, "signed_out"]);
});

test.each([
  ["that lasts", lastingStorage],
  ["that forgets", memoryStorage],
])(
  "a logout offline is one after a reload too, and the service hears of it (a storage %s)",
  async (_, make) => {
    haveLocalStorage();
    const [storage, browser] = [make(), jar()];
    const reload = () => (storage.forgets ? { storage: memoryStorage() } : {});
    const person = await member({ transport: "cookie", storage, fetch: browser.fetch });
    const { auth, network, tab } = person;
    network.cut(LOGOUT);
    await expect(auth.logOut({ everywhere: true })).rejects.toBeInstanceOf(ConnectionError);
    expect(auth.state.status).toBe("signed_out");

    expect((await tab(reload()).restore()).status).toBe("signed_out");
    expect([network.count(REFRESH), browser.cookies.size]).toEqual([0, 1]);
    network.mend();
    const seen: unknown[] = [];
    const fetch = async (request: Request) => {
      seen.push(await request.clone().json());
      return await browser.fetch(request);
    };
    expect((await tab({ ...reload(), fetch }).restore()).status).toBe("signed_out");

    expect([seen, browser.cookies.size]).toEqual([[{ everywhere: true }], 0]);
    await tab(reload()).restore(); // once is enough
    expect(network.count(LOGOUT)).toBe(2);
  },
);

test.each([
  ["that lasts", lastingStorage],
  ["that forgets", memoryStorage],
])("the next login counts after a logout that nobody heard of (a storage %s)", async (_, make) => {
  haveLocalStorage();
  const [storage, browser] = [make(), jar()];
  const { auth, network, number, readCode, tab } = await member({
    transport: "cookie",
    storage,
    fetch: browser.fetch,
  });
  network.cut(LOGOUT);
  await expect(auth.logOut()).rejects.toBeInstanceOf(ConnectionError);
  network.mend();
  await auth.logIn({ identifier: number, password: PASSWORD });
  await auth.verifyCode({ code: await readCode() });
  network.forget();

  const reloaded = tab(storage.forgets ? { storage: memoryStorage() } : {});

  expect((await reloaded.restore()).status).toBe("signed_in");
  expect(network.count(LOGOUT)).toBe(0);
});
