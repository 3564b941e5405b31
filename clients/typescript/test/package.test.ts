import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly resolved?: string }>>;
}

const read = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../${name}`, import.meta.url), "utf8"));
const manifest = (await read("package.json")) as Manifest;
const lock = (await read("package-lock.json")) as Lock;

test("who installs it gets one more package, and every version is pinned", () => {
  const { dependencies, devDependencies } = manifest;

  expect(Object.keys(dependencies)).toEqual(["openapi-fetch"]);
  for (const version of Object.values({ ...dependencies, ...devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test("the generator of the types doesn't work with a later TypeScript than 5", () => {
  expect(manifest.devDependencies["typescript"]).toMatch(/^5\./);
});

test("the lock file holds a hash of each package, and no address", () => {
  const installed = Object.entries(lock.packages).filter(([name]) => name !== "");

  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(installed.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
});
