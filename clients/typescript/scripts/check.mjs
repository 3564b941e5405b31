// All that CI wants to know of the client; ./dev test-client runs it with a Node of its own.
// The packages come from the lock file, by hash, and none of their scripts runs.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const LICENCE = fileURLToPath(new URL("../../../LICENSE", import.meta.url));
const DEMO_COPY = fileURLToPath(new URL("../../../src/otp_auth/demo/otp-auth-client.js", import.meta.url));
const NPM = join(dirname(process.execPath), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js");
const QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
const STRICT = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--target", "es2022"];
// What the README's examples take from the page around them.
const PAGE = `import type { AuthState, OtpAuth, PendingChallenge } from "otp-auth-client";
declare global {
  const auth: OtpAuth;
  const password: string;
  const code: string;
  function render(state: AuthState): void;
  function show(sentence: string): void;
  function askFor(pending: PendingChallenge): Promise<any>;
}
`;
const EXAMPLE = /^```ts\n(.*?)^```$/gms;
const SMOKE = `for (const name of ["otp-auth-client", "otp-auth-client/browser"]) {
  const { createOtpAuth, memoryStorage } = await import(name);
  const auth = createOtpAuth({ baseUrl: "https://a.example", transport: "body", storage: memoryStorage() });
  if (auth.state.status !== "signed_out") throw new Error(name);
}
`;

await step("packages", () => npm(PACKAGE, "ci", ...QUIET));
await step("lint", () => tool("@biomejs/biome/bin/biome", "check", "--error-on-warnings"));
await step("types of the document", () => node(PACKAGE, "scripts/types.mjs", "--check"));
await step("types", () => tool("typescript/bin/tsc"));
await step("build", () => node(PACKAGE, "scripts/build.mjs"));
await step("the demo's copy", compareDemoCopy);
await step("tests", () => tool("vitest/vitest.mjs", "run"));
await step("pack, install and import", packAndImport);

async function step(name, work) {
  const began = performance.now();
  await work();
  console.error(`client: ${name}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

function node(folder, ...command) {
  const { status, signal } = spawnSync(process.execPath, command, { cwd: folder, stdio: "inherit" });
  if (status !== 0) {
    console.error(`client: FAILED: ${command.join(" ")}${signal ? ` (${signal})` : ""}`);
    process.exit(1);
  }
}

function npm(folder, ...command) {
  node(folder, NPM, ...command);
}

function tool(script, ...command) {
  node(PACKAGE, join("node_modules", script), ...command);
}

async function compareDemoCopy() {
  const built = await readFile(join(PACKAGE, "dist", "otp-auth-client.js"), "utf8");
  if (built !== (await readFile(DEMO_COPY, "utf8"))) {
    console.error(`client: FAILED: ${DEMO_COPY} is not what the sources make: npm run bundle`);
    process.exit(1);
  }
}

/** As a stranger gets it: from the tarball, in a folder where nothing else is. */
async function packAndImport() {
  const folder = await mkdtemp(join(tmpdir(), "otp-auth-client-"));
  try {
    npm(PACKAGE, "pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder);
    const [tarball] = await readdir(folder);
    await writeFile(join(folder, "package.json"), '{"type": "module", "private": true}');
    npm(folder, "install", ...QUIET, `./${tarball}`);
    await writeFile(join(folder, "smoke.js"), SMOKE);
    await compareLicence(join(folder, "node_modules", "otp-auth-client", "LICENSE"));
    node(folder, "smoke.js");
    compileExamples(folder, await writeExamples(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Apache-2.0 4(a): whoever gets the package gets the licence. */
async function compareLicence(packed) {
  const text = await readFile(packed, "utf8").catch(() => "");
  if (text !== (await readFile(LICENCE, "utf8"))) {
    console.error(`client: FAILED: the tarball's LICENSE is missing or isn't the one of ${LICENCE}`);
    process.exit(1);
  }
}

/** The README's examples, as somebody's modules. */
async function writeExamples(folder) {
  const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
  const examples = [...readme.matchAll(EXAMPLE)].map(([, code]) => `${code}\nexport {};\n`);
  if (examples.length === 0) {
    throw new Error("the README has no examples");
  }
  const modules = [PAGE, ...examples];
  const names = modules.map((_, index) => `module-${index}.ts`);
  await Promise.all(names.map((name, index) => writeFile(join(folder, name), modules[index])));
  return names;
}

function compileExamples(folder, names) {
  const tsc = join(PACKAGE, "node_modules", "typescript", "bin", "tsc");
  for (const [module, resolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    node(folder, tsc, ...STRICT, "--module", module, "--moduleResolution", resolution, ...names);
  }
}
