import { expect, test } from "vitest";
import { memoryStorage, NotReadyError } from "../src/index.js";
import { jar } from "./support/cookies.js";
import { member, memberByDevice, newNumber, PASSWORD, type Person, somebody } from "./support/person.js";

const VERIFY = "POST /auth/otp/verify";
const LOGOUT = "POST /auth/logout";

/** The right code is sent, the service has taken it, and its answer hangs until `go`. */
async function verifySlowly({ auth, network, readCode }: Person, to?: string) {
  const code = await readCode(to);
  const late = network.hold(VERIFY, "after");
  const answer = auth.verifyCode({ code }).catch((error: unknown) => error);
  await late.arrived;
  return async () => {
    late.go();
    return await answer;
  };
}

/** In another tab of the same browser this one signs out, and somebody else comes. */
async function anotherComes(from: Person): Promise<Person> {
  const other = somebody();
  // No locks: as on a page without TLS, or when the answer hangs for longer than anybody waits.
  const auth = from.tab({ locks: { request: (_name, _options, work) => work({}) } });
  await auth.logOut();
  await auth.register({ phone_number: other.number, password: PASSWORD });
  await auth.verifyCode({ code: await other.readCode() });
  return { ...other, auth };
}

test("the late answer of a step-up leaves the next person's session alone", async () => {
  const storage = memoryStorage();
  const alice = await memberByDevice({ storage });
  await alice.auth.stepUp();
  const arrive = await verifySlowly(alice);
  const bob = await anotherComes(alice);
  const before = storage.read();

  expect(await arrive()).toBeInstanceOf(NotReadyError);

  expect(storage.read()).toBe(before);
  expect((await bob.auth.getMe()).phone_number).toBe(bob.number);
});

test("the late answer of a phone change leaves the next person's session alone", async () => {
  const storage = memoryStorage();
  const alice = await member({ storage });
  const to = newNumber();
  await alice.auth.changePhone({ phone_number: to });
  const arrive = await verifySlowly(alice, to);
  const bob = await anotherComes(alice);
  const before = storage.read();

  expect(await arrive()).toMatchObject({ status: "phone_changed", user: { phone_number: to } });

  expect(storage.read()).toBe(before);
  expect(bob.auth.state.session?.user.phone_number).toBe(bob.number);
});

test.each([
  ["step-up", "POST /auth/step-up", ({ auth }: Person) => auth.stepUp({ method: "none" })],
  ["phone change", "POST /me/phone", ({ auth }: Person) => auth.changePhone({ phone_number: newNumber() })],
])("a %s that was begun late isn't pending in the next person's session", async (_, what, begin) => {
  const alice = await member();
  const late = alice.network.hold(what, "after");
  const begun = begin(alice).catch((error: unknown) => error);
  await late.arrived;
  const bob = await anotherComes(alice);

  late.go();

  expect(await begun).toBeInstanceOf(NotReadyError);
  expect(bob.auth.state.pending).toBeNull();
});

test("in cookie mode a step-up ends when the cookie turns out to be somebody else's", async () => {
  const browser = jar();
  const alice = await member({ transport: "cookie", fetch: browser.fetch });
  await alice.auth.stepUp({ method: "none" });
  const bob = await member({ transport: "cookie", fetch: browser.fetch }); // another storage, the same cookies

  await expect(alice.auth.refreshTokens()).rejects.toThrow("Somebody else");

  expect(alice.auth.state).toMatchObject({
    pending: null,
    session: { user: { phone_number: bob.number } },
  });
});

test.each(["body", "cookie"] as const)(
  "a login that was given up signs nobody in (%s)",
  async (transport) => {
    const [storage, browser] = [memoryStorage(), jar()];
    const fetch = transport === "cookie" ? { fetch: browser.fetch } : {};
    const person = await member({ transport, storage, ...fetch });
    await person.auth.logOut();
    await person.auth.logIn({ identifier: person.number, password: PASSWORD });
    const arrive = await verifySlowly(person);
    person.network.forget();
    person.auth.abandon();

    expect(await arrive()).toBeInstanceOf(NotReadyError);

    expect([person.auth.state.status, storage.read(), browser.cookies.size]).toEqual(["signed_out", null, 0]);
    expect(person.network.log).toEqual([`${VERIFY} 200`, `${LOGOUT} 204`]);
  },
);

test("a login that was given up doesn't take another one's place, and leaves no session there", async () => {
  const storage = memoryStorage();
  const alice = await member({ storage });
  const bob = await member();
  await alice.auth.logIn({ identifier: bob.number, password: PASSWORD });
  const arrive = await verifySlowly({ ...alice, readCode: bob.readCode });
  alice.auth.abandon();
  const before = storage.read();

  expect(await arrive()).toBeInstanceOf(NotReadyError);

  expect(storage.read()).toBe(before);
  expect((await bob.auth.listSessions()).items).toHaveLength(1);
  expect((await alice.auth.listSessions()).items).toHaveLength(1);
});

test("a reset that was given up isn't permitted here", async () => {
  const person = await member();
  await person.auth.logOut();
  await person.auth.forgotPassword({ identifier: person.number });
  const arrive = await verifySlowly(person);
  person.auth.abandon();

  expect(await arrive()).toBeInstanceOf(NotReadyError);

  expect(person.auth.state.status).toBe("signed_out");
});

test("the late answer of a logout leaves the next person signed in", async () => {
  const alice = await member();
  const late = alice.network.hold(LOGOUT, "after");
  const leaving = alice.auth.logOut();
  await late.arrived;
  const bob = await anotherComes(alice);

  late.go();
  await leaving;

  expect(bob.auth.state.session?.user.phone_number).toBe(bob.number);
});
