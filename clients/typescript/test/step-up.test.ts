import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { OtpAuth, StepUpChallenge } from "../src/index.js";
import { memberByDevice, type Person } from "./support/person.js";

const EXPORT = "GET /me/export";

/** As a page does it: step up, ask for the code, verify. Counts how often it was asked. */
function prover(): {
  asked: StepUpChallenge[];
  onStepUp: (wanted: StepUpChallenge) => Promise<boolean>;
  by(person: Person): void;
} {
  const asked: StepUpChallenge[] = [];
  let person: Person | null = null;
  return {
    asked,
    by(somebody) {
      person = somebody;
    },
    async onStepUp(wanted) {
      asked.push(wanted);
      await person?.auth.stepUp();
      await person?.auth.verifyCode({ code: (await person?.readCode()) ?? "" });
      return true;
    },
  };
}

test("what wants a fresh proof asks for it, and goes out again once", async () => {
  const proof = prover();
  const person = await memberByDevice({ onStepUp: proof.onStepUp });
  proof.by(person);

  const everything = await person.auth.exportMe();

  expect(everything.user.phone_number).toBe(person.number);
  expect(proof.asked).toEqual([{ acrValues: "aal2", maxAge: 600 }]);
  expect(person.network.log.filter((line) => line.startsWith(EXPORT))).toEqual([
    `${EXPORT} 401`,
    `${EXPORT} 200`,
  ]);
  await person.auth.exportMe(); // the proof is still fresh
  expect(proof.asked).toHaveLength(1);
});

test("several that wait for a proof ask for it once", async () => {
  const proof = prover();
  const person = await memberByDevice({ onStepUp: proof.onStepUp });
  proof.by(person);

  await Promise.all([person.auth.exportMe(), person.auth.renewRecoveryCodes(), person.auth.enrolTotp()]);

  expect(proof.asked).toHaveLength(1);
});

test("a refusal that comes when the proof is there already asks for no other one", async () => {
  const proof = prover();
  const person = await memberByDevice({ onStepUp: proof.onStepUp });
  proof.by(person);
  const late = person.network.hold("POST /me/recovery-codes", "after");
  const waiting = person.auth.renewRecoveryCodes();
  await late.arrived;

  await person.auth.exportMe();
  late.go();

  expect(await waiting).toHaveLength(10);
  expect(proof.asked).toHaveLength(1);
});

test("a proof that isn't enough is never asked for twice", async () => {
  const proof = prover();
  const person = await memberByDevice({
    onStepUp: proof.onStepUp,
    fetch: async (request) => (request.url.endsWith("/me/export") ? notEnough() : await fetch(request)),
  });
  proof.by(person);

  await expect(person.auth.exportMe()).rejects.toMatchObject({ code: "insufficient_user_authentication" });

  expect(proof.asked).toHaveLength(1);
  expect(person.network.count(EXPORT)).toBe(2);
});

test.each([
  ["says no", async () => false],
  ["says yes without a proof", async () => true],
  ["isn't there", undefined],
])("whoever %s gets the refusal, and the request goes out once", async (_, onStepUp) => {
  const person = await memberByDevice(onStepUp && { onStepUp });

  await expect(person.auth.exportMe()).rejects.toMatchObject({
    code: "insufficient_user_authentication",
    problem: { acr_values: "aal2", max_age: 600 },
  });
  expect(person.network.count(EXPORT)).toBe(1);
});

test("what goes wrong while the page asks is what the call throws", async () => {
  const person = await memberByDevice({ onStepUp: () => Promise.reject(new Error("the person left")) });

  await expect(person.auth.exportMe()).rejects.toThrow("the person left");
  expect(person.network.count(EXPORT)).toBe(1);
});

test("a refresh on its way doesn't take the proof away again", async () => {
  const person = await memberByDevice();
  const { auth, network, readCode, tab } = person;
  const late = network.hold("POST /auth/token/refresh", "after");
  // Another page without locks; with them, the code waits for the refresh.
  const other = tab({ locks: { request: (_name, _options, work) => work() } });
  const refreshing = other.refreshTokens();
  await late.arrived;
  const stepping = tab({ locks: { request: (_name, _options, work) => work() } });
  await stepping.stepUp();
  await stepping.verifyCode({ code: await readCode() });

  late.go();
  await refreshing;

  expect((await auth.exportMe()).user.phone_number).toBe(person.number);
  await auth.refreshTokens(); // and the refresh token is the newest one
});

test("an API of one's own: token, step-up, and nobody else's", async () => {
  const proof = prover();
  const seen: (string | undefined)[] = [];
  const api = await ownApi((request, response) => {
    seen.push(request.headers.authorization);
    const refused = seen.length === 1;
    response.writeHead(refused ? 401 : 200, refused ? { "WWW-Authenticate": CHALLENGE } : {}).end("orders");
  });
  const person = await memberByDevice({ onStepUp: proof.onStepUp, apiOrigins: [api] });
  proof.by(person);

  const answer = await person.auth.fetch(`${api}/orders`, { method: "POST", body: "one" });

  expect([answer.status, await answer.text()]).toEqual([200, "orders"]);
  expect(proof.asked).toEqual([{ acrValues: "aal2", maxAge: 60 }]);
  expect(seen[1]).toBe(`Bearer ${await person.auth.accessToken()}`);
  await refusesOthers(person.auth);
});

const CHALLENGE = 'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="60"';

function notEnough(): Response {
  const code = "insufficient_user_authentication";
  const headers = { "WWW-Authenticate": CHALLENGE };
  return Response.json({ code, detail: "", acr_values: "aal2", max_age: 60 }, { status: 401, headers });
}

async function refusesOthers(auth: OtpAuth): Promise<void> {
  for (const url of ["https://example.com/", "http://127.0.0.1:1/", "data:text/plain,x"]) {
    await expect(auth.fetch(url)).rejects.toThrow("apiOrigins");
  }
}

async function ownApi(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
