import { expect, test } from "vitest";
import { credentialOf } from "../src/credentials.js";
import { operations } from "./support/document.js";

const SCHEMES = { AccessToken: "access", PendingToken: "pending", ResetToken: "reset" } as const;

test.each(operations)(
  "$operationId gets the token that the document names",
  ({ path, operationId, security }) => {
    const [scheme = ""] = Object.keys(security?.[0] ?? {});
    const wanted = SCHEMES[scheme as keyof typeof SCHEMES] ?? "none";

    expect(credentialOf(path)).toBe(operationId === "logOut" ? "leaving" : wanted);
  },
);

test("a name that only begins alike gets nothing", () => {
  expect(credentialOf("/api/v1/menu")).toBe("none");
  expect(credentialOf("/api/v1/auth/otpx")).toBe("none");
  expect(credentialOf("/elsewhere/api/v1/me")).toBe("none");
});
