/** What the client gives and takes. Objects of the service keep the names of its OpenAPI document. */

import type { Client } from "openapi-fetch";
import type {
  Challenge,
  ChangeMeBody,
  ChangePasswordBody,
  ChangePhoneBody,
  DevicePage,
  EventPage,
  Export,
  Factor,
  ForgotPasswordBody,
  LoginBody,
  LogoutBody,
  OfferedMethod,
  PhoneChanged,
  paths,
  RegisterBody,
  ResetHeld,
  ResetPasswordBody,
  SendBody,
  SessionPage,
  StepUpBody,
  TotpEnrolment,
  User,
  VerifyBody,
} from "./openapi.js";

export type Purpose = Challenge["purpose"];
export type Channel = SendBody["method"];

/** A code is being waited for: all that a code screen shows. */
export interface PendingChallenge {
  readonly purpose: Purpose;
  readonly methods: readonly OfferedMethod[];
  /** Null when nothing was to be sent: `method: "none"`, or an account that prefers its app. */
  readonly challenge: Challenge | null;
  /** When it ends, and has to begin anew; RFC 3339, by this machine's clock. */
  readonly expiresAt: string;
}

/** The phone is proved and a new password may be set: `resetPassword`. */
export interface ResetPermission {
  /** The account has an app: `proof` must come along. */
  readonly proofRequired: boolean;
  readonly expiresAt: string;
}

export interface SignedInSession {
  readonly id: string;
  readonly user: User;
}

/** Where this browser stands, in every tab. While signed in a step-up or a phone change may be pending. */
export type AuthState =
  | { readonly status: "signed_out"; readonly session: null; readonly pending: null; readonly reset: null }
  | {
      readonly status: "pending";
      readonly session: null;
      readonly pending: PendingChallenge;
      readonly reset: null;
    }
  | {
      readonly status: "reset_allowed";
      readonly session: null;
      readonly pending: null;
      readonly reset: ResetPermission;
    }
  | {
      readonly status: "signed_in";
      readonly session: SignedInSession;
      readonly pending: PendingChallenge | null;
      readonly reset: ResetPermission | null;
    };

/** Answer of `logIn` for a device that is trusted, and of `verifyCode` after a registration or a login. */
export interface SignedIn {
  readonly status: "authenticated";
  readonly session_id: string;
  readonly user: User;
  /** Ten, after a registration only. Show them now: they are in no storage and never come again. */
  readonly recovery_codes?: readonly string[];
}

/** Answer where a code is wanted: it is on its way, or may be asked for. */
export interface CodeRequired {
  readonly status: "otp_required";
  readonly pending: PendingChallenge;
}

export type Verified =
  | SignedIn
  | { readonly status: "elevated" }
  | PhoneChanged
  | { readonly status: "reset_allowed"; readonly reset: ResetPermission };

export type PasswordResetResult = { readonly status: "done" } | ResetHeld;

export interface Page {
  readonly cursor?: string;
}

/** What a route wants to be shown (RFC 9470). */
export interface StepUpChallenge {
  readonly acrValues: string | null;
  /** How many seconds ago the proof may have been. */
  readonly maxAge: number | null;
}

/**
 * Gets a fresh proof: calls `stepUp()`, asks for the code, calls `verifyCode()`. Then the request that was
 * refused goes out again, once. With `false`, or an exception, it isn't repeated.
 */
export type StepUpHandler = (challenge: StepUpChallenge) => Promise<boolean>;

/** Keeps one text for all tabs. Reads and writes are synchronous; a missing entry is null. */
export interface AuthStorage {
  read(): string | null;
  write(entry: string | null): void;
  /** It is empty after a reload: in cookie mode `restore` asks the service then whether the cookie is good. */
  readonly forgets?: boolean;
  /** Tell of changes that others make (tabs, instances); returns how to stop. */
  subscribe?(listener: () => void): () => void;
}

/** The part of the standard LockManager (`navigator.locks`) that is needed. */
export interface Locks {
  request<T>(
    name: string,
    options: { signal?: AbortSignal; ifAvailable?: boolean },
    callback: (lock: object | null) => Promise<T>,
  ): Promise<T>;
}

export interface OtpAuthOptions {
  /** Where the service stands: `https://auth.example.com`. */
  readonly baseUrl: string;
  /** Where the refresh token is kept: `cookie` (browsers: no script can read it), or `body` (`storage`). */
  readonly transport: "body" | "cookie";
  /** Default: `browserStorage()`, and `memoryStorage()` where there is no localStorage. */
  readonly storage?: AuthStorage;
  readonly onStepUp?: StepUpHandler;
  /** Origins of your own APIs that `fetch` may show the access token to. The service's own is always one. */
  readonly apiOrigins?: readonly string[];
  /** In place of the global fetch: to watch requests, or for cookies outside of browsers. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Default: `navigator.locks`. Where there is none, tabs refresh without waiting for each other. */
  readonly locks?: Locks;
}

export type Api = Client<paths>;

/**
 * One for each page. Its methods throw ProblemError, ConnectionError or NotReadyError; what your own code throws
 * meanwhile, such as the step-up handler or an AbortSignal, comes through as it is.
 */
export interface OtpAuth {
  readonly state: AuthState;
  /** Be told of changes, also of those of other tabs; returns how to stop. */
  onChange(listener: (state: AuthState) => void): () => void;
  /**
   * Once when a page starts: tells where things stand. In cookie mode a session that only the cookie knows
   * is found again; a pending challenge is looked up anew.
   */
  restore(): Promise<AuthState>;
  /** Stop listening to other tabs. */
  close(): void;

  /** Every route with its types; tokens, refresh and step-up as for the methods below. Answers `{data, error}`. */
  readonly api: Api;
  /**
   * fetch for your own API: with the access token, refreshed and stepped up where that is asked for. Throws a
   * TypeError, and sends nothing, for an origin that isn't in `apiOrigins`.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** An access token that is good for some time yet, such as for a WebSocket. */
  accessToken(): Promise<string>;

  register(body: RegisterBody): Promise<CodeRequired>;
  logIn(body: LoginBody): Promise<CodeRequired | SignedIn>;
  /** Send, send again, or change the channel. */
  sendCode(method: Channel): Promise<Challenge>;
  /** Where the challenge stands: call it every few seconds to show how far the message has come. */
  getChallenge(): Promise<PendingChallenge>;
  /** `purpose` of the challenge decides what comes: told apart by `status`. */
  verifyCode(body: VerifyBody): Promise<Verified>;
  /** Give the pending challenge and a permitted reset up, here. */
  abandon(): void;

  refreshTokens(): Promise<SignedIn>;
  /**
   * End this session, or all. Offline too this browser forgets it; then ConnectionError says so. In cookie mode the
   * next `restore` tells the service, and takes nobody's cookie until then; for a `storage` that forgets that is
   * remembered in localStorage, where there is one.
   */
  logOut(body?: LogoutBody): Promise<void>;
  /** A trusted device's token survives `logOut`; this forgets it. */
  forgetDevice(): void;

  stepUp(body?: StepUpBody): Promise<CodeRequired>;
  forgotPassword(body: ForgotPasswordBody): Promise<CodeRequired>;
  resetPassword(body: ResetPasswordBody): Promise<PasswordResetResult>;
  cancelPasswordReset(): Promise<void>;
  changePassword(body: ChangePasswordBody): Promise<void>;
  changePhone(body: ChangePhoneBody): Promise<CodeRequired>;

  getMe(): Promise<User>;
  changeMe(body: ChangeMeBody): Promise<User>;
  exportMe(): Promise<Export>;
  deleteMe(): Promise<void>;

  listFactors(): Promise<Factor[]>;
  enrolTotp(): Promise<TotpEnrolment>;
  /** Only now does the app count. */
  confirmTotp(code: string): Promise<Factor>;
  removeTotp(): Promise<void>;
  renewRecoveryCodes(): Promise<readonly string[]>;

  listSessions(page?: Page): Promise<SessionPage>;
  endSession(id: string): Promise<void>;
  endOtherSessions(): Promise<void>;
  listDevices(page?: Page): Promise<DevicePage>;
  endDevice(id: string): Promise<void>;
  listEvents(page?: Page): Promise<EventPage>;
}
