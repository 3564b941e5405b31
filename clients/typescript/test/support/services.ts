/** Really running services for all tests: each a process of its own, with its own port and data. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Access tokens live ten minutes; devices may be trusted. */
    service: string;
    /** Access tokens live a second. */
    shortLived: string;
  }
}

const COMMAND = fileURLToPath(new URL("../../../../.venv/bin/otp-auth", import.meta.url));
// The pipe closes with the test run, after SIGKILL as well: then the service goes too.
const GUARD =
  'exec 3<&0; "$@" </dev/null 3<&- & server=$!; { read -r _ <&3; kill "$server"; } & wait "$server"';
const SETTINGS = { OTP_AUTH_PASSWORDS__BCRYPT_COST: "4", OTP_AUTH_TRUSTED_DEVICES__ENABLED: "true" };
const START_TIMEOUT = 60_000;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = await Promise.all([start({}), start({ OTP_AUTH_TOKENS__ACCESS_LIFETIME: "1" })]);
  project.provide("service", services[0].address);
  project.provide("shortLived", services[1].address);
  return async () => {
    await Promise.all(services.map((service) => service.stop()));
  };
}

interface RunningService {
  readonly address: string;
  stop(): Promise<void>;
}

async function start(settings: Readonly<Record<string, string>>): Promise<RunningService> {
  const folder = await mkdtemp(join(tmpdir(), "otp-auth-client-"));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const script = `{ ${GUARD}; } >"$0" 2>&1`;
  const log = join(folder, "log");
  const command = [COMMAND, "dev", "--port", String(port), "--data-dir", join(folder, "data")];
  const guard = spawn("/bin/sh", ["-c", script, log, ...command], {
    env: { PATH: process.env["PATH"], ...SETTINGS, ...settings },
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ended = new Promise<void>((resolve) => guard.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    guard.stdin.end();
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    await untilHealthy(address, guard);
  } catch (error) {
    console.error(await readFile(log, "utf8"));
    await stop();
    throw error;
  }
  return { address, stop };
}

async function untilHealthy(address: string, guard: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT;
  while (guard.exitCode === null && Date.now() < deadline) {
    const response = await fetch(`${address}/health`).catch(() => null);
    if (response?.ok) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The service did not start: ${COMMAND}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
