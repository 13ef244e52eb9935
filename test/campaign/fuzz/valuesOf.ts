import fc from 'fast-check';
import { z } from 'zod';

/** As much of JSON Schema as zod's own translation of our contracts has. */
interface JsonSchema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

/**
 * What no schema tells since a function checks it, by field: values that pass. Without them a body would nearly always be
 * refused for the same field.
 */
const PASSING: Record<string, fc.Arbitrary<unknown>> = {
  tenantId: fc.constantFrom('FUZZ_A', 'FUZZ_B', 'FUZZ.C-1'),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
  feederId: fc.constantFrom('FEEDER_1', 'FEEDER_7', 'Trafo Süd 3'),
};

/** Quarter hours of some days around now. */
const QUARTER_MS = 900_000;
const instants = fc
  .integer({ min: -400, max: 40 })
  .map((quarters) => new Date((Math.floor(Date.now() / QUARTER_MS) + quarters) * QUARTER_MS).toISOString());
/** Whole numbers that counts are mostly given as. */
const counts = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: 1, max: 60 }) },
  fc.integer(),
  fc.double(),
);

/** Values as a zod schema describes them: most of them pass. */
export function valuesOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  return arbitraryOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
}

function arbitraryOf(schema: JsonSchema, field = ''): fc.Arbitrary<unknown> {
  const passing = PASSING[field];
  if (passing !== undefined) return passing;
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => arbitraryOf(one, field)));
  switch (schema.type) {
    case 'string':
      if (schema.format === 'date-time') return instants;
      return textsOf(schema.pattern);
    case 'number':
    case 'integer':
      return schema.maximum === undefined
        ? counts
        : fc.double({ min: schema.minimum ?? 0, max: schema.maximum, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 5 });
    case 'object':
      return objects(schema);
    default:
      return fc.jsonValue();
  }
}

/** fast-check makes no text for properties of Unicode that none of its characters has. */
function textsOf(pattern: string | undefined): fc.Arbitrary<string> {
  if (pattern === undefined || pattern.includes('\\p{')) return fc.string({ minLength: 1, maxLength: 60 });
  return fc.stringMatching(new RegExp(pattern, 'u'));
}

function objects({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, arbitraryOf(schema, name)]),
  );
  return fc.record(fields, { requiredKeys: required, noNullPrototype: true });
}
