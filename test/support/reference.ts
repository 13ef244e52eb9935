import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type OpenApiDocument, openApiDocument } from '../../src/reference/document.js';

/** A request and what came back. */
export interface Exchange {
  method: string;
  /** With its query. */
  url: string;
  status: number;
  contentType: string | undefined;
  body: string;
}

interface MediaType {
  schema: object;
  examples?: Record<string, { value: unknown }>;
}
interface DocumentedResponse {
  $ref?: string;
  content?: Record<string, MediaType>;
}
export interface DocumentedParameter {
  name: string;
  in: 'path' | 'query';
  required?: boolean;
  schema: object;
  example?: string | number;
}
export interface DocumentedOperation {
  operationId: string;
  tags: string[];
  security?: Record<string, string[]>[];
  parameters?: DocumentedParameter[];
  requestBody?: { content: { 'application/json'?: MediaType; '*/*'?: MediaType } };
  responses: Record<string, DocumentedResponse>;
}

/** An operation with where it is. */
export interface Route extends DocumentedOperation {
  method: string;
  path: string;
}

/** All operations of a document. */
export function routesOf(document: OpenApiDocument): Route[] {
  const paths = document.paths as Record<string, Record<string, DocumentedOperation>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      ...operation,
    })),
  );
}

/** What a document promises, and whether it is kept. */
export interface Reference {
  document: OpenApiDocument;
  routes: Route[];
  /** The operation that an answer is one of; undefined for a path that is not documented, and for OPTIONS and the like. */
  routeOf(exchange: Pick<Exchange, 'method' | 'url'>): Route | undefined;
  /** Undefined where the exchange is as documented, else a sentence that says in what it is not. */
  trouble(exchange: Exchange): string | undefined;
  /** Undefined where the value is as a schema of the document has it, held to the fields that are listed. */
  mismatch(schema: object, value: unknown): string | undefined;
}

export function createReference(document = openApiDocument('0.0.0')): Reference {
  // Formats of OpenAPI that JSON Schema does not know are left alone.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const components = closed(document.components ?? {});
  const validators = new Map<object, ValidateFunction>();
  const validatorOf = (schema: object): ValidateFunction => {
    const found = validators.get(schema) ?? ajv.compile({ allOf: [closed(schema)], components });
    validators.set(schema, found);
    return found;
  };
  const mismatch = (schema: object, value: unknown): string | undefined => {
    const validate = validatorOf(schema);
    return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'body' });
  };

  const routes = routesOf(document);
  const patterns = routes.map((route) => ({ route, pattern: patternOf(route.path) }));
  const routeAt = (url: string): Route[] => {
    const path = url.replace(/[?#].*/, '');
    return patterns.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route);
  };
  const responses = (document.components?.responses ?? {}) as Record<string, DocumentedResponse>;
  const resolved = ({ $ref, ...response }: DocumentedResponse): DocumentedResponse =>
    $ref === undefined ? response : (responses[$ref.split('/').at(-1) as string] as DocumentedResponse);
  const routeOf: Reference['routeOf'] = ({ method, url }) =>
    routeAt(url).find((route) => route.method === (method === 'HEAD' ? 'GET' : method));

  const bodyTrouble = ({ content }: DocumentedResponse, exchange: Exchange): string | undefined => {
    const { contentType = '', body, method, status } = exchange;
    if (method === 'HEAD') return body === '' ? undefined : 'HEAD is answered with a body';
    if (content === undefined) return body === '' ? undefined : `${status} is documented without a body`;
    const [type, media] =
      Object.entries(content).find(([one]) => one === '*/*' || contentType.startsWith(one)) ?? [];
    if (media === undefined) return `the content type ${contentType} is not documented`;
    if (type !== 'application/json') return undefined;
    return mismatch(media.schema, JSON.parse(body));
  };

  /** Whether any failure with this status is as it is documented somewhere. */
  const strayTrouble = (exchange: Exchange): string | undefined => {
    const ofStatus = Object.entries(responses).filter(([name]) => name.startsWith(`${exchange.status}.`));
    if (ofStatus.length === 0) return `${exchange.status} is documented nowhere`;
    const troubles = ofStatus.map(([, response]) => bodyTrouble(response, exchange));
    return troubles.includes(undefined) ? undefined : troubles[0];
  };

  const troubleOf = (exchange: Exchange): string | undefined => {
    const here = routeAt(exchange.url);
    if (exchange.method === 'OPTIONS' && exchange.status === 204 && here.length > 0)
      return exchange.body === '' ? undefined : 'OPTIONS is answered with a body';
    if (here.length === 0)
      return exchange.status < 400 ? 'the path is not documented' : strayTrouble(exchange);
    const route = routeOf(exchange);
    // Another method: nothing but a failure.
    if (route === undefined)
      return exchange.status < 400 ? 'the method is not documented' : strayTrouble(exchange);
    const response = route.responses[exchange.status];
    if (response === undefined) return `${exchange.status} is not documented`;
    return bodyTrouble(resolved(response), exchange);
  };

  return {
    document,
    routes,
    routeOf,
    mismatch,
    trouble(exchange) {
      const trouble = troubleOf(exchange);
      if (trouble === undefined) return undefined;
      return `${exchange.method} ${exchange.url.slice(0, 200)}: ${trouble}. It was ${exchange.status} ${exchange.body.slice(0, 500)}`;
    },
  };
}

/** Express takes any case and a slash at the end. */
function patternOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${escaped}/?$`, 'i');
}

/** The document leaves room for later fields. A test does not: what is answered today has to be documented today. */
function closed<T>(part: T): T {
  if (Array.isArray(part)) return part.map(closed) as T;
  if (typeof part !== 'object' || part === null) return part;
  const copy = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]));
  const isListed = copy.type === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return (isListed ? { ...copy, additionalProperties: false } : copy) as T;
}

/** The app, with every exchange reported once the answer has been sent. */
export function observed(app: RequestListener, report: (exchange: Exchange) => void): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    const keep = (chunk: unknown): void => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    };
    const { method = '', url = '' } = request;
    const write = response.write.bind(response) as (...args: unknown[]) => boolean;
    const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
    response.write = (...args: unknown[]) => {
      keep(args[0]);
      return write(...args);
    };
    response.end = ((...args: unknown[]) => {
      if (method !== 'HEAD') keep(args[0]);
      return end(...args);
    }) as ServerResponse['end'];
    response.once('finish', () => {
      report({
        method,
        url,
        status: response.statusCode,
        contentType: response.getHeader('Content-Type') as string | undefined,
        body: textOf(Buffer.concat(chunks), response),
      });
    });
    app(request, response);
  };
}

function textOf(body: Buffer, response: ServerResponse): string {
  if (body.length === 0 || response.statusCode === 304) return '';
  switch (response.getHeader('Content-Encoding')) {
    case 'br':
      return brotliDecompressSync(body).toString();
    case 'gzip':
      return gunzipSync(body).toString();
    default:
      return body.toString();
  }
}
