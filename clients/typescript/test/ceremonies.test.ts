import { expect, test } from "vitest";
import { isProblem, memoryStorage, NotReadyError } from "../src/index.js";
import { anotherThan, appCode, member, newNumber, PASSWORD, somebody } from "./support/person.js";

test("a registration ends signed in, with recovery codes that are in no storage", async () => {
  const storage = memoryStorage();
  const { auth, number, readCode } = somebody({ storage });

  const begun = await auth.register({ phone_number: number, password: PASSWORD, display_name: "Ada" });
  expect(auth.state.status).toBe("pending");
  expect(auth.state.pending).toEqual(begun.pending);
  expect(begun.pending).toMatchObject({ purpose: "register", challenge: { method: "sms", code_length: 6 } });

  const done = await auth.verifyCode({ code: await readCode() });
  if (done.status !== "authenticated") {
    throw new Error(done.status);
  }
  expect(done.recovery_codes).toHaveLength(10);
  expect(done).not.toHaveProperty("access_token");
  expect(auth.state).toMatchObject({ status: "signed_in", session: { user: { phone_number: number } } });
  expect(storage.read()).not.toContain(done.recovery_codes?.[0]);
  expect((await auth.getMe()).display_name).toBe("Ada");
});

test("a login, with a wrong code first: the state knows how many tries are left", async () => {
  const { auth, number, readCode } = await member();
  await auth.logOut();
  expect(auth.state.status).toBe("signed_out");

  await auth.logIn({ identifier: number, password: PASSWORD });
  const code = await readCode();
  const wrong = await auth.verifyCode({ code: anotherThan(code) }).catch((error: unknown) => error);

  expect(isProblem(wrong, "wrong_code") && wrong.attemptsLeft).toBe(2);
  expect(auth.state.pending?.challenge?.attempts_left).toBe(2);
  expect(await auth.verifyCode({ code })).toMatchObject({ status: "authenticated" });
});

test("a reload in the middle of a login goes on where it was", async () => {
  const storage = memoryStorage();
  const { auth, number, readCode, tab } = await member({ storage });
  await auth.logOut();
  await auth.logIn({ identifier: number, password: PASSWORD });
  auth.close();

  const reloaded = tab();
  expect(reloaded.state.status).toBe("pending");
  const state = await reloaded.restore();
  expect(state.pending).toMatchObject({ purpose: "login", challenge: { destination: expect.any(String) } });
  await reloaded.verifyCode({ code: await readCode() });
  expect(reloaded.state.status).toBe("signed_in");
});

test("a challenge that is over is forgotten, by a reload too", async () => {
  const { auth, number, readCode, tab } = await member();
  await auth.logOut();
  await auth.logIn({ identifier: number, password: PASSWORD });
  const code = await readCode();
  for (const _ of [1, 2, 3]) {
    await expect(auth.verifyCode({ code: anotherThan(code) })).rejects.toMatchObject({ code: "wrong_code" });
  }

  const reloaded = tab();
  expect(reloaded.state.pending?.challenge?.attempts_left).toBe(0);
  expect((await reloaded.restore()).status).toBe("signed_out");
  expect(auth.state.status).toBe("signed_out");
  await expect(auth.verifyCode({ code })).rejects.toBeInstanceOf(NotReadyError);
});

test("without a message: the code may be sent, and where it stands be asked", async () => {
  const { auth, number, readCode } = await member();
  await auth.logOut();

  const begun = await auth.logIn({ identifier: number, password: PASSWORD, method: "none" });
  expect(begun).toMatchObject({ status: "otp_required", pending: { challenge: null } });
  const challenge = await auth.sendCode("voice");
  expect(challenge).toMatchObject({ method: "voice", sends_left: 3 });
  expect(auth.state.pending?.challenge).toEqual(challenge);
  await expect(auth.sendCode("voice")).rejects.toMatchObject({
    code: "resend_too_soon",
    status: 429,
    retryAfter: expect.any(Number),
  });
  expect((await auth.getChallenge()).challenge?.id).toBe(challenge.id);
  await auth.verifyCode({ code: await readCode() });
});

test("a taken number shows to whoever has the phone, and ends the registration", async () => {
  const { auth, number, readCode, tab } = await member();
  const other = tab({ storage: memoryStorage() });
  await auth.logOut();
  await other.register({ phone_number: number, password: PASSWORD });

  await expect(other.verifyCode({ code: await readCode() })).rejects.toMatchObject({
    code: "account_exists",
  });
  expect(other.state.status).toBe("signed_out");
});

test("a forgotten password: permitted by the phone, set with a recovery code, no reload in the way", async () => {
  const { auth, number, readCode, tab } = somebody();
  await auth.register({ phone_number: number, password: PASSWORD });
  const done = await auth.verifyCode({ code: await readCode() });
  const recovery = done.status === "authenticated" ? (done.recovery_codes?.[0] ?? "") : "";
  await auth.logOut();

  await auth.forgotPassword({ identifier: number });
  expect(auth.state.pending).toMatchObject({ purpose: "password_reset", challenge: { destination: null } });
  await auth.verifyCode({ code: await readCode() });
  const reloaded = tab();
  expect(reloaded.state).toMatchObject({ status: "reset_allowed", reset: { proofRequired: false } });
  const password = "Another-Lantern-Harbour-59";
  const weak = reloaded.resetPassword({ new_password: number + number });
  await expect(weak).rejects.toMatchObject({ code: "weak_password" });
  const proof = { method: "recovery_code", code: recovery } as const;
  expect(await reloaded.resetPassword({ new_password: password, proof })).toEqual({ status: "done" });
  expect(reloaded.state.status).toBe("signed_out");
  expect(await auth.logIn({ identifier: number, password })).toMatchObject({ status: "otp_required" });
});

test("a reset by the phone alone is held, and whoever is signed in cancels it", async () => {
  const { auth, number, readCode, tab } = await member();
  const stranger = tab({ storage: memoryStorage() });
  await stranger.forgotPassword({ identifier: number });
  await stranger.verifyCode({ code: await readCode() });

  const result = await stranger.resetPassword({ new_password: "Another-Lantern-Harbour-59" });
  expect(result).toMatchObject({ status: "held", effective_at: expect.any(String) });
  await auth.getMe();
  expect(auth.state.session?.user.password_reset_at).not.toBeNull();
  await auth.cancelPasswordReset();
  expect((await auth.getMe()).password_reset_at).toBeNull();
});

test("a phone change goes on beside the session, and ends with the new number in the state", async () => {
  const { auth, readCode } = await member();
  const to = newNumber();

  await auth.changePhone({ phone_number: to });
  expect(auth.state).toMatchObject({ status: "signed_in", pending: { purpose: "phone_change" } });
  expect(await auth.verifyCode({ code: await readCode(to) })).toMatchObject({ status: "phone_changed" });
  expect(auth.state).toMatchObject({ pending: null, session: { user: { phone_number: to } } });
});

test("an app: enrolled, confirmed, preferred, used in a login, and removed", async () => {
  const { auth, number } = await member();
  const { secret, qr_svg } = await auth.enrolTotp();
  expect(qr_svg).toContain("<svg");
  expect(await auth.confirmTotp(appCode(secret))).toMatchObject({ method: "totp" });
  await auth.changeMe({ preferred_method: "totp" });
  expect(auth.state.session?.user.factors).toContain("totp");
  await auth.logOut();

  const begun = await auth.logIn({ identifier: number, password: PASSWORD });
  expect(begun).toMatchObject({
    pending: { challenge: null, methods: expect.arrayContaining([{ method: "totp" }]) },
  });
  await auth.verifyCode({ code: appCode(secret, 1), method: "totp" });
  await auth.removeTotp();
  expect((await auth.listFactors()).map((factor) => factor.method)).not.toContain("totp");
});

test("giving up leaves nothing behind", async () => {
  const storage = memoryStorage();
  const { auth, number } = somebody({ storage });
  await auth.register({ phone_number: number, password: PASSWORD });

  auth.abandon();

  expect(auth.state.status).toBe("signed_out");
  expect(storage.read()).toBeNull();
});
