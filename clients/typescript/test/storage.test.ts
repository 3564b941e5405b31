import { expect, test } from "vitest";
import { type AuthStorage, memoryStorage } from "../src/index.js";
import { member, somebody } from "./support/person.js";

/** Once it is full nothing more can be written; `locked`: nor be removed. */
function limitedStorage(): AuthStorage & { isFull: boolean; isLocked: boolean } {
  const inner = memoryStorage();
  return {
    ...inner,
    isFull: false,
    isLocked: false,
    write(entry) {
      if (this.isFull && (entry !== null || this.isLocked)) {
        throw new DOMException("full", "QuotaExceededError");
      }
      inner.write(entry);
    },
  };
}

test.each([false, true])(
  "a session goes on in a storage that takes nothing any more (locked: %s)",
  async (isLocked) => {
    const storage = limitedStorage();
    const { auth, tab } = await member({ storage });
    const seen: string[] = [];
    auth.onChange((state) => seen.push(`${state.status} ${state.session?.user.display_name}`));
    Object.assign(storage, { isFull: true, isLocked });

    await auth.refreshTokens();
    await auth.refreshTokens(); // shows the token that could not be written
    await auth.changeMe({ display_name: "Ada" });
    expect(seen).toEqual(["signed_in Ada"]);
    await auth.logOut();
    expect(auth.state.status).toBe("signed_out");

    if (!isLocked) {
      expect([storage.read(), tab().state.status]).toEqual([null, "signed_out"]);
    }
  },
);

test("a spent refresh token isn't left for other tabs to show", async () => {
  const storage = limitedStorage();
  const { auth } = await member({ storage });
  storage.isFull = true;

  await auth.changeMe({ display_name: "Ada" });
  expect(storage.read()).not.toBeNull();
  await auth.refreshTokens();

  expect(storage.read()).toBeNull();
});

test("what another tab writes later counts, and so does what can be written again", async () => {
  const storage = limitedStorage();
  const { auth, tab } = await member({ storage });
  storage.isFull = true;
  await auth.changeMe({ display_name: "Ada" });
  storage.isFull = false;

  await tab().logOut();
  expect(auth.state.status).toBe("signed_out");

  const second = await member({ storage });
  storage.isFull = true;
  await second.auth.refreshTokens();
  storage.isFull = false;
  await second.auth.refreshTokens();
  expect(tab().state).toEqual(second.auth.state);
});

const USER = { id: "u" };
const SESSION = { id: "s", user: USER, accessToken: "a", renewAt: 1, refreshToken: null };
const PENDING = { token: "p", purpose: "login", methods: [], challenge: null, expiresAt: "x" };
const RESET = { token: "r", proofRequired: false, expiresAt: "x" };

test.each([
  { session: 5 },
  { session: {} },
  { session: { ...SESSION, user: null } },
  { session: { ...SESSION, accessToken: 7 } },
  { session: { ...SESSION, renewAt: "soon" } },
  { session: { ...SESSION, refreshToken: {} } },
  { pending: 7 },
  { pending: { ...PENDING, token: null } },
  { pending: { ...PENDING, purpose: 1 } },
  { pending: { ...PENDING, methods: null } },
  { pending: { ...PENDING, challenge: "x" } },
  { pending: { ...PENDING, expiresAt: 0 } },
  { reset: "x" },
  { reset: { ...RESET, token: 1 } },
  { reset: { ...RESET, proofRequired: 0 } },
  { reset: { ...RESET, expiresAt: null } },
  { deviceToken: [] },
  { untold: true },
])("an entry that isn't of this shape is none: %j", async (part) => {
  const storage = memoryStorage();
  const whole = {
    version: 3,
    session: SESSION,
    pending: PENDING,
    reset: RESET,
    deviceToken: "d",
    untold: {},
  };
  storage.write(JSON.stringify(whole));
  const { auth, network } = somebody({ storage, transport: "cookie" });
  expect(auth.state).toMatchObject({ session: { id: "s", user: USER }, reset: { proofRequired: false } });

  storage.write(JSON.stringify({ ...whole, ...part }));

  expect(auth.state.status).toBe("signed_out");
  await expect(auth.getMe()).rejects.toThrow("Nobody is signed in");
  expect(network.log).toEqual([]);
});
