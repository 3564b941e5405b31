import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, inject, onTestFinished, test } from "vitest";
import { ConnectionError, memoryStorage } from "../src/index.js";
import { member, PASSWORD } from "./support/person.js";

async function server(answer: RequestListener): Promise<string> {
  const running = createServer(answer);
  await new Promise<void>((resolve) => running.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    running.closeAllConnections();
    running.close();
  });
  return `http://127.0.0.1:${(running.address() as AddressInfo).port}`;
}

/** Sends everybody on, with what they carry. */
async function sender(to: string): Promise<string> {
  return await server((request, response) =>
    response.writeHead(307, { Location: `${to}${request.url}` }).end(),
  );
}

async function stranger(): Promise<{ address: string; heard: string[] }> {
  const heard: string[] = [];
  const hear = async (request: IncomingMessage) => heard.push(`${request.url} ${await text(request)}`);
  const address = await server((request, response) => {
    void hear(request).then(() => response.writeHead(200, { "Content-Type": "application/json" }).end("{}"));
  });
  return { address, heard };
}

test.each(["body", "cookie"] as const)(
  "passwords and tokens follow nobody elsewhere (%s)",
  async (transport) => {
    const { address, heard } = await stranger();
    const baseUrl = await sender(address);
    const storage = memoryStorage();
    const { tab } = await member({ storage });
    const { logIn, refreshTokens, fetch, state } = tab({ baseUrl, transport, fetch: globalThis.fetch });

    await expect(logIn({ identifier: "a", password: PASSWORD })).rejects.toBeInstanceOf(ConnectionError);
    await expect(refreshTokens()).rejects.toBeInstanceOf(ConnectionError);
    const init = { method: "PATCH", body: "private" };
    await expect(fetch(`${baseUrl}/api/v1/me`, init)).rejects.toBeInstanceOf(ConnectionError);

    expect(heard).toEqual([]);
    expect(state.status).toBe("signed_in");
  },
);

test("an API of one's own may send on", async () => {
  const { address, heard } = await stranger();
  const api = await sender(address);
  const { auth } = await member({ apiOrigins: [api], fetch: globalThis.fetch, baseUrl: inject("service") });

  await auth.fetch(`${api}/orders`, { method: "POST", body: "one" });

  expect(heard).toEqual(["/orders one"]);
});
