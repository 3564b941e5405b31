/** What an entry of the storage must look like: others may have written there. */

import type { Holding } from "./record.js";

type Test = (value: unknown) => boolean;

const isText: Test = (value) => typeof value === "string";
const isFlag: Test = (value) => typeof value === "boolean";
const isNull: Test = (value) => value === null;
const orNull =
  (test: Test): Test =>
  (value) =>
    isNull(value) || test(value);
const shaped =
  (parts: Readonly<Record<string, Test>>): Test =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(parts).every(([name, test]) => test((value as Record<string, unknown>)[name]));

const isSession = shaped({
  id: isText,
  user: shaped({ id: isText }),
  accessToken: isText,
  renewAt: Number.isFinite,
  refreshToken: orNull(isText),
});
const isPending = shaped({
  token: isText,
  purpose: isText,
  methods: Array.isArray,
  challenge: orNull(shaped({})),
  expiresAt: isText,
});
const isReset = shaped({ token: isText, proofRequired: isFlag, expiresAt: isText });
const isWhole = shaped({
  session: orNull(isSession),
  pending: orNull(isPending),
  reset: orNull(isReset),
  deviceToken: orNull(isText),
  untold: orNull(shaped({})),
});

export function isHolding(kept: unknown): kept is Holding {
  return isWhole(kept);
}
