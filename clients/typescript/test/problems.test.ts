import { expect, expectTypeOf, inject, test } from "vitest";
import { refusal } from "../src/answers.js";
import { ConnectionError, isProblem, memoryStorage, type ProblemCode, ProblemError } from "../src/index.js";
import { problemCodes, refusals } from "./support/document.js";
import { member, newNumber, PASSWORD, somebody } from "./support/person.js";

/** As a page does it. No case may be missing: then this doesn't compile. */
function sentence(code: ProblemCode): string {
  switch (code) {
    case "wrong_code":
    case "wrong_password":
    case "invalid_credentials":
    case "proof_required":
      return "Try again.";
    case "challenge_closed":
    case "invalid_token":
      return "Begin again.";
    case "validation_failed":
    case "weak_password":
    case "phone_number_invalid":
    case "destination_refused":
    case "account_exists":
    case "conflict":
      return "Change what you have written.";
    case "rate_limited":
    case "resend_too_soon":
    case "too_many_attempts":
    case "too_many_sends":
    case "provider_unavailable":
    case "overloaded":
    case "not_ready":
      return "Wait.";
    case "insufficient_user_authentication":
      return "Prove that it is you.";
    case "malformed_request":
    case "not_allowed":
    case "not_found":
    case "method_not_allowed":
    case "payload_too_large":
    case "unsupported_media_type":
    case "internal_error":
      return "That is our fault.";
  }
}

test("every code of the document has a sentence, and an example that becomes an error of that code", async () => {
  // No address of the document answers so; all the others do.
  const wrongMethod = await fetch(`${inject("service")}/api/v1/auth/login`);
  const everyRefusal = new Map([...refusals, ["method_not_allowed", await wrongMethod.json()]]);
  expect([...everyRefusal.keys()].sort()).toEqual([...problemCodes].sort());
  for (const [code, body] of everyRefusal) {
    const error = refusal(body, new Response(null, { status: Number(body["status"]) }));
    if (!isProblem(error)) {
      throw new Error(`${code} is no problem`);
    }
    expect([error.code, error.status, error.requestId]).toEqual([code, body["status"], body["request_id"]]);
    expect(sentence(error.code)).toMatch(/\.$/);
  }
});

test("a code narrows, and a made-up one doesn't compile", () => {
  expectTypeOf<string>().not.toExtend<ProblemCode>(); // a union of words, not any text
  expectTypeOf<"wrong_code">().toExtend<ProblemCode>();
  expectTypeOf<"wrong_cod">().not.toExtend<ProblemCode>();
});

test.each(["7", null, "soon", "-1", ""])("Retry-After %j", (header) => {
  const response = new Response(null, {
    status: 429,
    headers: header === null ? {} : { "Retry-After": header },
  });

  const error = refusal({ code: "rate_limited", status: 429, detail: "" }, response);

  expect(error instanceof ProblemError && error.retryAfter).toBe(header === "7" ? 7 : null);
});

test("the status is that of the answer, whatever the body says", () => {
  const error = refusal(
    { code: "internal_error", status: 401, detail: "" },
    new Response(null, { status: 502 }),
  );

  expect(error.status).toBe(502);
});

test("a logout that a gateway refused may not be one at the service, and says so", async () => {
  const { auth } = await member({
    fetch: async (request) =>
      request.url.endsWith("/logout")
        ? Response.json({ code: "NO_KEY", detail: "", status: 401 }, { status: 401 })
        : await fetch(request),
  });

  await expect(auth.logOut()).rejects.toMatchObject({ code: "NO_KEY" });

  expect(auth.state.status).toBe("signed_out");
});

test("a refusal whose refresh a gateway refuses tells of the gateway", async () => {
  const storage = memoryStorage();
  const { auth } = await member({
    storage,
    fetch: async (request) =>
      request.url.endsWith("/refresh")
        ? Response.json({ code: "NO_KEY", detail: "", status: 401 }, { status: 401 })
        : await fetch(request),
  });
  storage.write(storage.read()?.replace(await auth.accessToken(), "no-token-of-ours") ?? null);

  await expect(auth.getMe()).rejects.toMatchObject({ code: "NO_KEY" });

  expect(auth.state.status).toBe("signed_in");
});

test("fields that are wrong are named", async () => {
  const { auth } = somebody();

  const error = await auth
    .register({ phone_number: newNumber(), password: "short" })
    .catch((no: unknown) => no);

  if (!isProblem(error, "validation_failed")) {
    throw error;
  }
  expect(error.errors).toMatchObject([{ field: "body.password", rule: "too_short" }]);
});

test("refusals of a service that runs", async () => {
  const { auth, number, tab } = await member();
  const stranger = tab({ storage: memoryStorage() });
  const password = "Another-Lantern-Harbour-59";
  const asked: [() => Promise<unknown>, ProblemCode][] = [
    [() => stranger.logIn({ identifier: number, password }), "invalid_credentials"],
    [() => auth.changePassword({ current_password: password, new_password: PASSWORD }), "wrong_password"],
    [() => auth.changeMe({ preferred_method: "totp" }), "conflict"],
    [() => auth.endSession("nobody's"), "not_found"],
    [() => auth.confirmTotp("123456"), "conflict"],
    [() => auth.changePhone({ phone_number: "+4611" }), "phone_number_invalid"],
    [() => auth.listEvents({ cursor: "nowhere" }), "validation_failed"],
  ];
  for (const [ask, code] of asked) {
    await expect(ask()).rejects.toMatchObject({ code });
  }
});

test("a login through a number that nothing reaches says what is the matter", async () => {
  const { auth } = somebody();
  const down = "+46701740666"; // one of the simulator's numbers with a behaviour
  const begun = await auth.register({ phone_number: down, password: PASSWORD });

  expect(begun.pending.challenge).toMatchObject({ delivery: expect.stringMatching(/failed|not_sent/) });
});

test("the raw client answers with data or with a problem, and carries the same tokens", async () => {
  const { auth } = await member();

  const { data } = await auth.api.GET("/api/v1/me");
  const { error } = await auth.api.DELETE("/api/v1/me/devices/{device_id}", {
    params: { path: { device_id: "nobody's" } },
  });

  expect(data?.id).toBe(auth.state.session?.user.id);
  expect(error?.code).toBe("not_found");
});

test("a service that isn't there", async () => {
  const { auth } = somebody({ baseUrl: "http://127.0.0.1:9" });

  const error = await auth
    .logIn({ identifier: "a@example.com", password: PASSWORD })
    .catch((no: unknown) => no);

  expect(error).toBeInstanceOf(ConnectionError);
  expect(error).toMatchObject({ status: null, cause: expect.any(TypeError) });
});

test("an abort by the page stays an abort", async () => {
  const { auth } = await member();
  const signal = AbortSignal.abort();

  await expect(auth.fetch(`${inject("service")}/api/v1/me`, { signal })).rejects.toMatchObject({
    name: "AbortError",
  });
});
