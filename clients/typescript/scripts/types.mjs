// Writes src/openapi.ts from docs/openapi.json. With --check it only looks whether that is current.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const DOCUMENT = new URL("../../../docs/openapi.json", import.meta.url);
const TYPES = new URL("../src/openapi.ts", import.meta.url);
// A default is what the service takes where a field is left out: nobody has to send it.
const OPTIONS = { rootTypes: true, rootTypesNoSchemaPrefix: true, defaultNonNullable: false };

const document = JSON.parse(await readFile(DOCUMENT, "utf8"));
const current = COMMENT_HEADER + astToString(await openapiTS(document, OPTIONS));
if (!process.argv.includes("--check")) {
  await writeFile(TYPES, current);
} else if (current !== (await readFile(TYPES, "utf8"))) {
  console.error(`${fileURLToPath(TYPES)} is not what docs/openapi.json says: npm run types`);
  process.exit(1);
}
