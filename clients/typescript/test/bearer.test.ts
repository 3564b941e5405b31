import { expect, test } from "vitest";
import { bearerRefusal } from "../src/bearer.js";

test.each([
  ["none", null, null],
  ["no token was shown", "Bearer", null],
  ["another scheme", 'Basic realm="x", error="invalid_token"', null],
  ["RFC 6750", 'Bearer error="invalid_token"', { error: "invalid_token" }],
  ["the name of the scheme in small letters", 'bearer error="invalid_token"', { error: "invalid_token" }],
  [
    "RFC 9470",
    'Bearer error="insufficient_user_authentication", error_description="Prove it, again", acr_values="aal2", max_age="600"',
    {
      error: "insufficient_user_authentication",
      error_description: "Prove it, again",
      acr_values: "aal2",
      max_age: "600",
    },
  ],
  [
    "without quotes",
    "Bearer realm=a,max_age=5, error=invalid_token",
    { realm: "a", max_age: "5", error: "invalid_token" },
  ],
  ["beside others", 'Basic realm="a b", Bearer error="x", Digest error="y"', { error: "x" }],
  ["an escaped quote", String.raw`Bearer error="a\"b"`, { error: 'a"b' }],
  ["an error inside of a quoted string", 'Bearer realm="error=invalid_token"', null],
  ["twice: the first counts", 'Bearer error="a", error="b"', { error: "a" }],
])("%s", (_, header, parameters) => {
  expect(bearerRefusal(header)?.parameters ?? null).toEqual(parameters);
});
