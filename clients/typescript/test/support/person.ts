/** Somebody with a phone and a browser. */

import { createHmac, randomInt } from "node:crypto";
import { inject } from "vitest";
import { createOtpAuth, memoryStorage, type OtpAuth, type OtpAuthOptions } from "../../src/index.js";
import { type Network, network } from "./network.js";

export const PASSWORD = "Quiet-Harbour-Lantern-58";

interface Message {
  readonly id: string;
  readonly code: string;
}

export interface Person {
  readonly number: string;
  readonly auth: OtpAuth;
  readonly network: Network;
  /** Another tab of the same browser. */
  tab(options?: Partial<OtpAuthOptions>): OtpAuth;
  /** The code of the newest message that wasn't read before. */
  readCode(to?: string): Promise<string>;
}

export function newNumber(): string {
  return `+4670${randomInt(1_000_000, 10_000_000)}`;
}

/** Nobody knows them yet. */
export function somebody(options: Partial<OtpAuthOptions> = {}, baseUrl = inject("service")): Person {
  const number = newNumber();
  const watched = network(options.fetch);
  const common: OtpAuthOptions = {
    baseUrl,
    transport: "body",
    storage: memoryStorage(),
    ...options,
    fetch: watched.fetch,
  };
  const read = new Set<string>();
  return {
    number,
    network: watched,
    auth: createOtpAuth(common),
    tab: (more = {}) => createOtpAuth({ ...common, ...more }),
    readCode: (to = number) => readCode(baseUrl, to, read),
  };
}

/** They have an account, and are signed in. */
export async function member(options: Partial<OtpAuthOptions> = {}, baseUrl?: string): Promise<Person> {
  const person = somebody(options, baseUrl);
  await person.auth.register({ phone_number: person.number, password: PASSWORD });
  await person.auth.verifyCode({ code: await person.readCode() });
  person.network.forget();
  return person;
}

/** Signed in by a trusted device, so with one factor: whatever wants a fresh proof asks for a step-up. */
export async function memberByDevice(options: Partial<OtpAuthOptions> = {}): Promise<Person> {
  const person = somebody(options);
  const { auth, number } = person;
  await auth.register({ phone_number: number, password: PASSWORD });
  await auth.verifyCode({ code: await person.readCode(), trust_device: true });
  await auth.logOut();
  await auth.logIn({ identifier: number, password: PASSWORD });
  person.network.forget();
  return person;
}

async function readCode(baseUrl: string, to: string, read: Set<string>): Promise<string> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const answer = await fetch(`${baseUrl}/sandbox/messages?to=${encodeURIComponent(to)}`);
    const [newest] = (await answer.json()) as Message[];
    if (newest && !read.has(newest.id)) {
      read.add(newest.id);
      return newest.code;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`No message came to ${to}.`);
}

/** What the service takes for a wrong code, whatever the right one is. */
export function anotherThan(code: string): string {
  return String((Number(code) + 1) % 10 ** code.length).padStart(code.length, "0");
}

/** The code that an app shows (RFC 6238) `steps` of 30 seconds from now. */
export function appCode(secret: string, steps = 0): string {
  const bits = [...secret].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7f_ff_ff_ff) % 1_000_000).padStart(6, "0");
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
