import type { FieldError, Problem, ProblemCode } from "./openapi.js";

/** A refusal of the service. Switch on `code`; `title` and `detail` are plain English, for developers. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Of the service's log: quote it when you report something. */
  readonly requestId: string;
  /** Whole seconds to wait, with every 429 and 503. */
  readonly retryAfter: number | null;
  /** What is wrong with which field, with `validation_failed` and `weak_password`. */
  readonly errors: readonly FieldError[];
  /** Tries that this challenge has left, with `wrong_code`. */
  readonly attemptsLeft: number | null;
  /** The whole body, with members that this version has no name for. */
  readonly problem: Problem;

  /** The status is the answer's: what a body says of it anybody between here and the service may have written. */
  constructor(problem: Problem, status: number, retryAfter: number | null = null) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
    this.status = status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.requestId = problem.request_id;
    this.retryAfter = retryAfter;
    this.errors = problem.errors ?? [];
    this.attemptsLeft = problem.attempts_left ?? null;
    this.problem = problem;
  }
}

/** No answer of the service arrived: offline, a timeout, or a proxy spoke instead. Nobody is logged out by it. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** Of an answer that wasn't the service's, such as a proxy's 502. */
  readonly status: number | null;

  constructor(message: string, { status = null, cause }: { status?: number | null; cause?: unknown } = {}) {
    super(message, { cause });
    this.status = status;
  }
}

/** The call needs a login, a pending code or a reset that this client doesn't hold: nothing was sent. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}

/** The service itself says that the token is no good. Any other refusal, also a 401 of a gateway, may pass. */
export function isDefinite(error: unknown): error is ProblemError {
  return error instanceof ProblemError && error.status === 401 && error.code === "invalid_token";
}

export type AuthError = ProblemError | ConnectionError | NotReadyError;

export function isProblem(error: unknown, ...codes: readonly ProblemCode[]): error is ProblemError {
  return error instanceof ProblemError && (codes.length === 0 || codes.includes(error.code));
}
