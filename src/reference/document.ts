/**
 * Room: reference. Promises: a description of every route as OpenAPI 3.1, made from the schemas that validate and from
 * those of the answers, so that it cannot be stale. The build makes `openapi.json` of it (scripts/describeRoutes.mjs);
 * nothing that runs imports it.
 */

import {
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type ResponseConfig,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi';
import { DESCRIPTION } from './description.js';
import { errorResponses } from './errorResponses.js';
import { type Answer, errorsOf, type Operation, TAGS } from './operation.js';
import { OPERATIONS } from './operations/index.js';

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

const WRITE_KEY = { writeKey: [] };
const READ_KEY = { readKey: [] };
/** One of the alternatives has to hold; an empty one always does. */
const SECURITY: Record<Operation['key'], Record<string, string[]>[]> = {
  none: [],
  read: [{}, READ_KEY, WRITE_KEY],
  scrape: [{}, READ_KEY, WRITE_KEY],
  any: [READ_KEY, WRITE_KEY],
  write: [WRITE_KEY],
};
const JSON_TYPE = 'application/json';

/**
 * The OpenAPI document of these routes.
 *
 * @param version of the product.
 */
export function openApiDocument(
  version: string,
  operations: readonly Operation[] = OPERATIONS,
): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'writeKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'A key of `GRIDLENS_API_KEY`. `npm start` keeps one in `.gridlens/api-key`.',
  });
  registry.registerComponent('securitySchemes', 'readKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'A key of `GRIDLENS_READ_KEY`, where that is set.',
  });
  for (const operation of operations) registry.registerPath(pathOf(operation));
  const document = new OpenApiGeneratorV31(registry.definitions, {
    sortComponents: 'alphabetically',
  }).generateDocument({
    openapi: '3.1.0',
    info: { title: 'GridLens AMI', version, description: DESCRIPTION },
    servers: [{ url: '/', description: 'The deployment that serves this document.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  });
  // A copy, since the generator shares parts between routes.
  const own = JSON.parse(JSON.stringify(document)) as OpenApiDocument;
  for (const operation of operations) {
    const route = routeOf(own, operation);
    giveParameters(route, operation.given ?? {});
    shareFailures(own, route, operation);
  }
  return opened(own) as OpenApiDocument;
}

function pathOf(operation: Operation): RouteConfig {
  const { method, path, id, tag, summary, description, key, parameters, query, body, file, answers } =
    operation;
  const responses: Record<string, ResponseConfig> = {};
  for (const [status, answer] of Object.entries(answers)) responses[status] = responseOf(answer);
  for (const { status, ...failure } of errorResponses(errorsOf(operation)))
    responses[status] = responseOf(failure);
  return {
    method,
    path,
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[key],
    request: {
      ...(parameters ? { params: parameters } : {}),
      ...(query ? { query } : {}),
      ...(file
        ? {
            body: {
              required: true,
              description: file,
              content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
            },
          }
        : {}),
      ...(body
        ? {
            body: {
              required: true,
              content: { [JSON_TYPE]: { schema: body.schema, examples: named(body.examples) } },
            },
          }
        : {}),
    },
    responses,
  };
}

function responseOf({
  description,
  schema,
  contentType = JSON_TYPE,
  examples,
  headers = {},
}: Answer): ResponseConfig {
  const described = Object.entries(headers).map(([name, says]) => [
    name,
    { description: says, schema: { type: 'string' as const } },
  ]);
  return {
    description,
    ...(described.length > 0 ? { headers: Object.fromEntries(described) } : {}),
    ...(schema
      ? { content: { [contentType]: { schema, ...(examples ? { examples: named(examples) } : {}) } } }
      : {}),
  };
}

function named(examples: Record<string, unknown>): Record<string, { summary: string; value: unknown }> {
  const entries = Object.entries(examples);
  return Object.fromEntries(
    entries.map(([summary, value]) => [summary.replaceAll(/\W+/g, '_'), { summary, value }]),
  );
}

interface Route {
  parameters?: { name: string; schema?: { type?: string }; example?: string | number }[];
  responses: Record<string, { $ref: string } | { description: string }>;
}

function routeOf(document: OpenApiDocument, { path, method }: Operation): Route {
  return document.paths?.[path]?.[method] as Route;
}

/** Examples stand with the parameter: one schema is used in many places, for which one value would not do. */
function giveParameters({ parameters = [] }: Route, given: Record<string, string>): void {
  for (const parameter of parameters) {
    const example = given[parameter.name];
    if (example !== undefined)
      parameter.example = parameter.schema?.type === 'integer' ? Number(example) : example;
  }
}

/** A failure stands in the document once, for all routes that have it: else it would be four fifths of the document. */
function shareFailures(document: OpenApiDocument, { responses }: Route, operation: Operation): void {
  document.components ??= {};
  document.components.responses ??= {};
  for (const { status, name } of errorResponses(errorsOf(operation))) {
    document.components.responses[name] ??= responses[status] as NonNullable<Route['responses'][string]>;
    responses[status] = { $ref: `#/components/responses/${name}` };
  }
}

/** Answers may gain fields with a later version: only bodies of requests are held to the fields that are listed. */
function opened(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(opened);
  if (typeof part !== 'object' || part === null) return part;
  const entries = Object.entries(part).filter(
    ([key, value]) => key !== 'additionalProperties' || value !== false,
  );
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === 'requestBody' ? value : opened(value)]),
  );
}
