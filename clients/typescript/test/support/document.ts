/** The OpenAPI document that the types are made from. */

import { readFile } from "node:fs/promises";

export interface Operation {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
}

interface Example {
  readonly value: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: { readonly ProblemCode: { readonly enum: readonly string[] } };
    readonly examples: Readonly<Record<string, Example>>;
  };
}

const FILE = new URL("../../../../docs/openapi.json", import.meta.url);
const document = JSON.parse(await readFile(FILE, "utf8")) as Document;

export const problemCodes = document.components.schemas.ProblemCode.enum;

export const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    ...operation,
  })),
);

/** A refusal of each code, as the service says it. */
export const refusals = new Map(
  Object.values(document.components.examples)
    .filter(({ value }) => typeof value["code"] === "string")
    .map(({ value }) => [String(value["code"]), value] as const),
);
