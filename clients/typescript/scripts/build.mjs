// Builds dist: modules with their types, and one file for browsers. With --for-demo, also the copy that the
// service's demo page is served with.
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const BUNDLE = join(PACKAGE, "dist", "otp-auth-client.js");
const DEMO_COPY = fileURLToPath(new URL("../../../src/otp_auth/demo/otp-auth-client.js", import.meta.url));
const resolve = createRequire(import.meta.url).resolve;

await rm(join(PACKAGE, "dist"), { recursive: true, force: true });
const compiled = spawnSync(process.execPath, [resolve("typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: PACKAGE,
  stdio: "inherit",
});
if (compiled.status !== 0) {
  process.exit(1);
}
await build({
  absWorkingDir: PACKAGE,
  entryPoints: ["src/index.ts"],
  outfile: BUNDLE,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  banner: { js: await notice() },
  logLevel: "warning",
});
if (process.argv.includes("--for-demo")) {
  await mkdir(dirname(DEMO_COPY), { recursive: true });
  await copyFile(BUNDLE, DEMO_COPY);
}

/** What is in it, with the notice that its licence asks for. */
async function notice() {
  const { name, version, dependencies } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  const contained = "openapi-fetch";
  const licence = await readFile(join(dirname(resolve(contained)), "..", "LICENSE"), "utf8");
  return `/*
${name} ${version}, made by clients/typescript/scripts/build.mjs: change the sources, not this file.
It contains ${contained} ${dependencies[contained]}:

${licence.trim()}
*/`;
}
