export { createOtpAuth } from "./client.js";
export { type AuthError, ConnectionError, isProblem, NotReadyError, ProblemError } from "./errors.js";
// The document's names; where it has one of ours below, ours counts.
export type * from "./openapi.js";
export { browserStorage, memoryStorage } from "./storage.js";
export type {
  Api,
  AuthState,
  AuthStorage,
  Channel,
  CodeRequired,
  Locks,
  OtpAuth,
  OtpAuthOptions,
  Page,
  PasswordResetResult,
  PendingChallenge,
  Purpose,
  ResetPermission,
  SignedIn,
  SignedInSession,
  StepUpChallenge,
  StepUpHandler,
  Verified,
} from "./types.js";
