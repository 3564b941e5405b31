/** The OpenAPI document that the types are made from. */

import { readFile } from "node:fs/promises";

export interface Operation {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Answer {
  readonly content?: Readonly<Record<string, { readonly examples?: Readonly<Record<string, Example>> }>>;
}

interface Example {
  readonly value: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly ProblemCode: { readonly enum: readonly string[] } } };
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

/** Each refusal, as the service says it; one of them where it has several ways to. */
export const refusals = new Map(
  operations.flatMap(({ responses }) =>
    Object.values(responses).flatMap(({ content }) =>
      Object.values(content?.["application/problem+json"]?.examples ?? {}).map(
        ({ value }) => [value["code"], value] as const,
      ),
    ),
  ),
);
