/**
 * Every code that an answer may fail with: its status, when it comes, and a sentence as an answer has it. docs/api.md
 * explains them; the API reference is made from them.
 */
export const ERROR_CODES = {
  invalid_request: {
    status: 400,
    when: 'A field, a parameter or the request itself is wrong.',
    example: 'tenantId must be a string, for example "DEMO_TENANT".',
  },
  invalid_json: {
    status: 400,
    when: 'The body is not JSON.',
    example: 'The body must be valid JSON.',
  },
  registry_empty: {
    status: 400,
    when: 'The registry has no meters to publish.',
    example: 'fleet "registry" found no meters for tenant DEMO_TENANT in public.meters.',
  },
  fleet_unavailable: {
    status: 400,
    when: 'The fleet that was asked for does not fit the tables of reads.',
    example: 'fleet cannot be "synthetic", since public.reads.meter_id (uuid) keeps no such id.',
  },
  file_ambiguous: {
    status: 400,
    when: 'The file does not say all that it means. `questions` asks for it; nothing was taken.',
    example: 'The file does not say all that it means: whose clock has its stamps? Nothing of it is taken.',
  },
  file_refused: {
    status: 400,
    when: 'Nothing of the file is taken, since it cannot be read or too much of it was refused.',
    example: 'Nothing is taken of night.csv: it is empty.',
  },
  unauthorized: {
    status: 401,
    when: 'There is no key, or another deployment’s.',
    example: 'This request needs the API key: send the header "Authorization: Bearer <GRIDLENS_API_KEY>".',
  },
  forbidden: {
    status: 403,
    when: 'The key may only read.',
    example: 'This key may only read: a POST needs one of GRIDLENS_API_KEY.',
  },
  not_found: {
    status: 404,
    when: 'There is nothing by this id or name.',
    example: 'publishId 0190b5e4-7f3a-4c4e-9f4e-1d2c3b4a5f60 is not known: no publish answered with it.',
  },
  method_not_allowed: {
    status: 405,
    when: 'The path does not take the method. `Allow` says which it takes.',
    example: 'PUT is not possible here; allowed are GET, HEAD, OPTIONS.',
  },
  request_timeout: {
    status: 408,
    when: 'The request did not arrive within 30 s; of a file, nothing of it arrived for as long.',
    example: 'The request did not arrive in time.',
  },
  body_too_large: {
    status: 413,
    when: 'The body is larger than the route takes.',
    example: 'The body must be at most 100 kB.',
  },
  misdirected_request: {
    status: 421,
    when: 'The header `Host` has a name that this API is not asked under.',
    example:
      'This API is not asked under the name in the header Host; names other than localhost have to be in ALLOWED_HOSTS.',
  },
  uri_too_long: {
    status: 414,
    when: 'Path and query have more than 8,192 characters.',
    example: 'Path and query may have at most 8192 characters.',
  },
  unsupported_media_type: {
    status: 415,
    when: 'The body is not JSON in UTF-8; of a file, it is JSON, a form or packed for the transfer.',
    example: 'The body must be JSON: send the header "Content-Type: application/json".',
  },
  backpressure: {
    status: 429,
    when: 'The queue has no room for all of it, and nothing was accepted.',
    example: 'Backpressure: queue too deep',
  },
  too_many_wrong_keys: {
    status: 429,
    when: 'The address has sent more than 20 wrong keys in a minute.',
    example: 'This address has sent more than 20 wrong keys in a minute; the right one is taken at any time.',
  },
  too_many_requests: {
    status: 429,
    when: 'The address reads more often than `READS_PER_ADDRESS` allows.',
    example: 'This address reads more than 50 times per second; ask again in 2 s.',
  },
  headers_too_large: {
    status: 431,
    when: 'The headers have more than 16 kB.',
    example: 'The headers may have at most 16 kB together.',
  },
  internal: {
    status: 500,
    when: 'A fault of the product.',
    example: 'Something went wrong here; the log has it under this requestId.',
  },
  busy: {
    status: 503,
    when: 'The process works out as many answers as it does at once. Nothing is wrong.',
    example: 'As many reads are under way here as this process takes at once; ask again in a second.',
  },
  unavailable: {
    status: 503,
    when: 'Postgres or the queue does not answer, or the clock of the process is wrong.',
    example: 'Postgres is not available; try again shortly.',
  },
  no_room: {
    status: 507,
    when: 'There is no room for the file where it is kept while it is read, or nothing may be written there.',
    example: 'The disk of IMPORT_FOLDER has no room for the file: free some, or set another folder.',
  },
} as const satisfies Record<string, { status: number; when: string; example: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
