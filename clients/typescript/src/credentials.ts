/** Which token an address of the service wants. */

export type Credential = "none" | "access" | "pending" | "reset" | "leaving";

const API = "/api/v1";

// The first that fits, whole path segments. A test compares this with the OpenAPI document.
const BY_PATH: readonly (readonly [string, Credential])[] = [
  ["/auth/otp", "pending"],
  ["/auth/password/reset", "reset"],
  ["/auth/step-up", "access"],
  ["/auth/logout", "leaving"],
  ["/me", "access"],
];

export function credentialOf(path: string): Credential {
  const found = BY_PATH.find(([prefix]) => `${path}/`.startsWith(`${API}${prefix}/`));
  return found?.[1] ?? "none";
}
