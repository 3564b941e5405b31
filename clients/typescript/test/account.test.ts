import { expect, test } from "vitest";
import { memoryStorage } from "../src/index.js";
import { member, memberByDevice, newNumber, PASSWORD, somebody } from "./support/person.js";

test("sessions: listed, ended one by one, and all the others", async () => {
  const { auth, number, readCode, tab } = await member();
  const others = [memoryStorage(), memoryStorage(), memoryStorage()].map((storage) => tab({ storage }));
  for (const other of others) {
    await other.logIn({ identifier: number, password: PASSWORD });
    await other.verifyCode({ code: await readCode(), device_name: "The kitchen's tablet" });
  }

  const { items, next_cursor } = await auth.listSessions();
  expect(items.map((session) => session.current)).toEqual([false, false, false, true]);
  expect([items[0]?.device, next_cursor]).toEqual(["The kitchen's tablet", null]);
  await auth.endSession(items[0]?.id ?? "");
  await expect(others[2]?.getMe()).rejects.toMatchObject({ code: "invalid_token" });
  await auth.endOtherSessions();
  expect((await auth.listSessions()).items).toHaveLength(1);
});

test("a new password ends the other sessions and leaves this one", async () => {
  const { auth, number, tab } = await member();
  const password = "Another-Lantern-Harbour-59";

  await auth.changePassword({ current_password: PASSWORD, new_password: password });

  await auth.refreshTokens();
  const other = tab({ storage: memoryStorage() });
  await expect(other.logIn({ identifier: number, password: PASSWORD })).rejects.toThrow(
    "invalid_credentials",
  );
  expect((await other.logIn({ identifier: number, password })).status).toBe("otp_required");
});

test("a trusted device needs no code again and again, until it is forgotten or ended", async () => {
  const { auth, number } = await memberByDevice();
  const logInAgain = async () => {
    await auth.logOut();
    return (await auth.logIn({ identifier: number, password: PASSWORD })).status;
  };
  expect(await logInAgain()).toBe("authenticated");
  expect((await auth.listDevices()).items).toHaveLength(1);

  auth.forgetDevice();
  expect(await logInAgain()).toBe("otp_required");
});

test("a device that was ended needs a code", async () => {
  const { auth, number } = await memberByDevice();
  const { items } = await auth.listDevices();

  await auth.endDevice(items[0]?.id ?? "");
  await auth.logOut();

  expect((await auth.logIn({ identifier: number, password: PASSWORD })).status).toBe("otp_required");
});

test("the trail comes in pages", async () => {
  const { auth } = await member();

  const { items, next_cursor } = await auth.listEvents();

  expect([items.at(-1)?.name, next_cursor]).toEqual(["account_created", null]);
});

test("new recovery codes take the place of the old ones", async () => {
  const { auth, number } = await member();
  const [code = ""] = await auth.renewRecoveryCodes();
  await auth.logOut();
  await auth.logIn({ identifier: number, password: PASSWORD, method: "none" });

  expect(await auth.verifyCode({ code, method: "recovery_code" })).toMatchObject({ status: "authenticated" });
});

test("everything that is stored, and then nothing any more", async () => {
  const storage = memoryStorage();
  const { auth, number } = await member({ storage });
  expect((await auth.exportMe()).user.phone_number).toBe(number);

  await auth.deleteMe();

  expect([auth.state.status, storage.read()]).toEqual(["signed_out", null]);
  await expect(auth.logIn({ identifier: number, password: PASSWORD })).rejects.toThrow("invalid_credentials");
});

test("a logout everywhere ends the sessions of others too", async () => {
  const { auth, number, readCode, tab } = await member();
  const other = tab({ storage: memoryStorage() });
  await other.logIn({ identifier: number, password: PASSWORD });
  await other.verifyCode({ code: await readCode() });

  await auth.logOut({ everywhere: true });

  await expect(other.getMe()).rejects.toMatchObject({ code: "invalid_token" });
  expect(other.state.status).toBe("signed_out");
});

test("offline a logout is one here, and says that it may not be one there", async () => {
  const { auth, network } = await member();
  network.cut("POST /auth/logout");

  await expect(auth.logOut()).rejects.toThrow("No answer came.");

  expect(auth.state.status).toBe("signed_out");
});

test("a login beside a session takes its place only when it is proved", async () => {
  const { auth, readCode } = await member();
  const second = await member();
  const before = auth.state.session?.id;
  await auth.logIn({ identifier: second.number, password: PASSWORD });
  expect(auth.state).toMatchObject({ session: { id: before }, pending: { purpose: "login" } });

  await auth.verifyCode({ code: await readCode(second.number) });

  expect(auth.state.session?.user.phone_number).toBe(second.number);
});

test("a pending step-up ends with its session, a pending registration doesn't", async () => {
  const { auth } = await member();
  await auth.stepUp({ method: "none" });
  await auth.logOut();
  expect(auth.state.status).toBe("signed_out");

  const { auth: other } = await member();
  await other.register({ phone_number: newNumber(), password: PASSWORD });
  await other.logOut();
  expect(other.state).toMatchObject({ status: "pending", pending: { purpose: "register" } });
});

test("a service below a path is found there", async () => {
  const seen: string[] = [];
  const { auth } = somebody({
    baseUrl: "https://example.com/auth/",
    fetch: async (request) => {
      seen.push(`${request.method} ${request.url} ${request.headers.get("X-Token-Transport")}`);
      return Response.json({}, { status: 401 });
    },
    transport: "cookie",
  });

  await auth.restore();
  await auth.logIn({ identifier: "a", password: PASSWORD }).catch(() => {});

  expect(new Set(seen)).toEqual(
    new Set([
      "POST https://example.com/auth/api/v1/auth/token/refresh cookie",
      "POST https://example.com/auth/api/v1/auth/login cookie",
    ]),
  );
});

test("whoever is out already may log out", async () => {
  const { auth, network } = somebody();

  await auth.logOut();

  expect(network.log).toEqual([]);
});

test.each(["", ".", "..", "%2e%2E", ".%2e"])(
  "%j is no session's or device's name: nothing is sent",
  async (id) => {
    const { auth, network } = await member();

    await expect(auth.endSession(id)).rejects.toBeInstanceOf(TypeError);
    await expect(auth.endDevice(id)).rejects.toBeInstanceOf(TypeError);

    expect(network.log).toEqual([]);
    await auth.getMe();
  },
);
