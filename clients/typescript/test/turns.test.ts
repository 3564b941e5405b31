import { expect, test } from "vitest";
import { newTurns, pageLocks } from "../src/turns.js";

const gate = () => Promise.withResolvers<void>();

test.each([
  ["of the runtime", () => navigator.locks],
  ["of the page", pageLocks],
])("locks %s let one work at a time, in order, also after a failure", async (_, locks) => {
  const takeTurns = newTurns(locks(), crypto.randomUUID());
  const seen: string[] = [];
  const first = gate();

  const failing = takeTurns(async () => {
    seen.push("first begins");
    await first.promise;
    seen.push("first ends");
    throw new Error("on purpose");
  });
  const second = takeTurns(async () => void seen.push("second"));
  const third = takeTurns(async () => void seen.push("third"));
  first.resolve();

  await expect(failing).rejects.toThrow("on purpose");
  await Promise.all([second, third]);
  expect(seen).toEqual(["first begins", "first ends", "second", "third"]);
});

test.each([
  ["of the runtime", () => navigator.locks],
  ["of the page", pageLocks],
])("whoever waits too long for locks %s goes ahead, and once", async (_, locks) => {
  const shared = locks();
  const name = crypto.randomUUID();
  const asleep = gate();
  const held = newTurns(shared, name)(() => asleep.promise);
  let times = 0;

  await newTurns(
    shared,
    name,
    20,
  )(async () => {
    times += 1;
  });
  asleep.resolve();
  await held;
  await newTurns(shared, name)(async () => {});

  expect(times).toBe(1);
});

test("an abort of the work itself is no reason to do it again", async () => {
  let times = 0;
  const takeTurns = newTurns(pageLocks(), "a", 20);

  const working = takeTurns(async () => {
    times += 1;
    await new Promise((_, reject) => {
      AbortSignal.timeout(60).addEventListener("abort", () => reject(new DOMException("x", "AbortError")));
    });
  });

  await expect(working).rejects.toThrow("x");
  expect(times).toBe(1);
});
