/** From an answer to what it holds, or to an error that says what happened. */

import { ConnectionError, ProblemError } from "./errors.js";
import type { Problem } from "./openapi.js";

export interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** Returns what a good answer holds. Throws ProblemError, and ConnectionError where the answer isn't the service's. */
export async function unwrap<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked.catch(notReadable);
  if (response.ok) {
    return data as T; // what the document says of this status
  }
  throw refusal(error, response);
}

export function refusal(body: unknown, response: Response): ProblemError | ConnectionError {
  if (isProblemBody(body)) {
    return new ProblemError(body, response.status, seconds(response.headers.get("Retry-After")));
  }
  const message = `Something between here and the service answered ${response.status}.`;
  return new ConnectionError(message, { status: response.status });
}

function isProblemBody(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}

function seconds(header: string | null): number | null {
  return header !== null && /^\d+$/.test(header) ? Number(header) : null;
}

function notReadable(error: unknown): never {
  throw error instanceof SyntaxError
    ? new ConnectionError("The answer isn't JSON: it isn't the service's.", { cause: error })
    : error;
}
