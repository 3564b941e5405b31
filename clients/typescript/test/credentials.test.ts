import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { credentialOf } from "../src/credentials.js";

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
}

const SCHEMES = { AccessToken: "access", PendingToken: "pending", ResetToken: "reset" } as const;
const FILE = new URL("../../../docs/openapi.json", import.meta.url);
const document = JSON.parse(await readFile(FILE, "utf8")) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.values(methods).map((operation) => ({ path, ...operation })),
);

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
