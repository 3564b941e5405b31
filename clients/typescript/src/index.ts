export { createOtpAuth } from "./client.js";
export { type AuthError, ConnectionError, isProblem, NotReadyError, ProblemError } from "./errors.js";
export type * from "./openapi.js";
export { browserStorage, memoryStorage } from "./storage.js";
export type * from "./types.js";
