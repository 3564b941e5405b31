import { afterEach, expect, test, vi } from "vitest";
import { type AuthStorage, memoryStorage } from "../src/index.js";
import { jar } from "./support/cookies.js";
import { member, PASSWORD, somebody } from "./support/person.js";

const REFRESH = "POST /auth/token/refresh";

afterEach(() => {
  vi.useRealTimers();
});

function becomeDue(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10 * 60_000 });
}

/** Survives a reload, as localStorage does. */
function lastingStorage(): AuthStorage {
  return { ...memoryStorage(), forgets: false };
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
