/** Watches what the client asks and what it is answered. What is kept is `withoutSecrets`. */

import { withoutSecrets } from "./secrets.js";
import { learnClock } from "./time.js";

const MOST = 60;
const BODY = /json/;
const exchanges = [];
const listeners = new Set();
let made = 0;

/** A fetch that takes notes. */
export async function traced(request) {
  const exchange = await noted(request);
  add(exchange);
  const askedAt = Date.now();
  try {
    const response = await fetch(request);
    learnClock(response.headers.get("Date"), askedAt, Date.now());
    Object.assign(exchange, { status: response.status, took: Date.now() - askedAt });
    exchange.answer = await readable(response.clone());
    exchange.headers = notable(response.headers);
    return response;
  } catch (error) {
    exchange.failed = true;
    throw error;
  } finally {
    exchange.done = true;
    tell();
  }
}

export function seen() {
  return exchanges;
}

export function clearTrace() {
  exchanges.length = 0;
  tell();
}

export function onTrace(listener) {
  listeners.add(listener);
}

/** One that asks the same as the one before is counted with it: a code that is watched asks every few seconds. */
function add(exchange) {
  const last = exchanges.at(-1);
  const isSame = last?.done && last.method === "GET" && `${last.method} ${last.path}` === `${exchange.method} ${exchange.path}`;
  if (isSame) {
    exchanges.pop();
    Object.assign(exchange, { id: last.id, times: last.times + 1 });
  }
  exchanges.push(exchange);
  if (exchanges.length > MOST) exchanges.shift();
  tell();
}

async function noted(request) {
  const { pathname, search } = new URL(request.url);
  made += 1;
  return {
    id: made,
    times: 1,
    at: new Date(),
    method: request.method,
    path: pathname + search,
    hasToken: request.headers.has("Authorization"),
    isCookie: request.headers.get("X-Token-Transport") === "cookie",
    body: await readable(request.clone()),
    status: null,
    answer: null,
    headers: {},
  };
}

async function readable(message) {
  if (!BODY.test(message.headers.get("Content-Type") ?? "")) return null;
  try {
    return withoutSecrets(await message.json());
  } catch {
    return null;
  }
}

function notable(headers) {
  const names = ["Retry-After", "WWW-Authenticate", "X-Request-ID"];
  return Object.fromEntries(names.map((name) => [name, headers.get(name)]).filter(([, value]) => value));
}

function tell() {
  for (const listener of listeners) listener();
}
