import { tmpdir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { parse as parseEnv } from 'dotenv';
import { z } from 'zod';
import { StartupError } from '../contracts/errors.js';
import { tenantId } from '../contracts/fields.js';
import { MAX_READS_PER_SECOND } from '../contracts/limits.js';
import { databaseUrlProblem, withPassword } from '../db/databaseUrl.js';
import { redisUrlProblem } from '../queues/redis/redisUrl.js';
import { apiKeys } from './apiKeys.js';
import { envFileText } from './envFile.js';
import { type Problem, withSecretFiles } from './secretFiles.js';

/** Everything the processes are told from outside, parsed once and frozen. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Unset: `npm start` brings its own Postgres. */
  readonly databaseUrl: string | undefined;
  /** A standby that KPI and status routes read from, as long as it is no further behind than this. */
  readonly databaseReadUrl: string | undefined;
  readonly databaseReadMaxStalenessSeconds: number;
  /** Connections that a process takes for its own statements. Unset: what its kind needs. */
  readonly databasePoolMax: number | undefined;
  /** Unset: BullMQ's Postgres backend on the same database. */
  readonly redisUrl: string | undefined;
  /** Where the queue in Postgres is reached, which must not be a pooler in transaction mode. Unset: by databaseUrl. */
  readonly queueDatabaseUrl: string | undefined;
  /** Tells the queue of this deployment from that of another whose database is a physical copy of this one's. */
  readonly deploymentName: string | undefined;
  /** Connections that a process takes for the queue in Postgres. Unset: what its kind needs. */
  readonly queuePoolMax: number | undefined;
  /** How far this machine's clock may be from the database's before the process does nothing that depends on time. */
  readonly clockToleranceSeconds: number;
  /** Any of them may write; none only where `npm start` makes one. */
  readonly apiKeys: readonly string[];
  /** Any of them may read; none: everybody may. */
  readonly readKeys: readonly string[];
  /** Proxies before this process, each of which adds the address that it sees to X-Forwarded-For. */
  readonly trustedProxyHops: number;
  /** Reads per second that one client address may make, as a mean over 10 s; 0 for any number. */
  readonly readsPerAddress: number;
  /** For how long a process that was told to stop goes on answering while it says that it is not ready. */
  readonly stopGraceSeconds: number;
  /** Whether whoever opens /queues may change what is in them. */
  readonly queuesWritable: boolean;
  /** Whether BullMQ tells OpenTelemetry of its spans. */
  readonly queueTelemetry: boolean;
  /** Names that the header Host may have beside localhost and addresses; undefined where none is named. */
  readonly allowedHosts: readonly string[] | undefined;
  readonly corsOrigins: readonly string[];
  /** Whether any localhost origin may read too: the local stack's dashboard in development. */
  readonly corsAllowLocalhost: boolean;
  /** Jobs a worker process runs at once, or `adaptive` (D13). */
  readonly workerConcurrency: number | 'adaptive';
  readonly maxReadsPerSecond: number;
  /** How many times 2 s an answer may take. 1 as deployed, more for tests and slow machines. */
  readonly answerBudgetFactor: number;
  /** Days of reads to keep; unset keeps all. */
  readonly readsRetentionDays: number | undefined;
  /** Folder that days of reads are archived in before they are dropped; undefined archives nothing. */
  readonly archiveDir: string | undefined;
  /** Days that the ledger of publishes is kept. */
  readonly ledgerRetentionDays: number;
  /** Tenant of the rows of an existing table that has no column for it. */
  readonly defaultTenantId: string;
  /** Where a worker shows its metrics; undefined: nowhere. */
  readonly workerMetrics: { port: number; host: string } | undefined;
  /** Where files that are sent to the API are kept while they are read. */
  readonly importFolder: string;
  /** Bytes of a file that the API takes. */
  readonly importMaxBytes: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Absolute path. */
  readonly dataDir: string;
  /** Whether Postgres is the local stack's own. */
  readonly embedded: boolean;
}

/** The tenant of every example. */
export const DEFAULT_TENANT_ID = 'DEMO_TENANT';
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
/** What is shown of each variable as an example of a right value. */
const EXAMPLES: Record<string, string> = {
  PORT: '5000',
  HOST: '127.0.0.1',
  DATABASE_URL: 'postgres://user:password@host:5432/gridlens?sslmode=verify-full',
  DATABASE_READ_URL: 'postgres://user:password@standby:5432/gridlens?sslmode=verify-full',
  DATABASE_READ_MAX_STALENESS_SECONDS: '30',
  DATABASE_POOL_MAX: '4',
  QUEUE_DATABASE_URL: 'postgres://user:password@host:5432/gridlens?sslmode=verify-full',
  QUEUE_POOL_MAX: '2',
  DEPLOYMENT_NAME: 'staging',
  CLOCK_TOLERANCE_SECONDS: '5',
  REDIS_URL: 'redis://127.0.0.1:6379',
  DATABASE_PASSWORD: 'password',
  GRIDLENS_API_KEY: '$(openssl rand -hex 32)',
  GRIDLENS_READ_KEY: '$(openssl rand -hex 32)',
  TRUSTED_PROXY_HOPS: '1',
  READS_PER_ADDRESS: '200',
  STOP_GRACE_SECONDS: '1',
  QUEUES_WRITABLE: 'true',
  QUEUE_TELEMETRY: 'true',
  ALLOWED_HOSTS: 'gridlens.example.com,gridlens',
  CORS_ORIGINS: 'https://app.gridlensenergy.com,https://ops.example.com',
  WORKER_CONCURRENCY: '8, or adaptive',
  MAX_READS_PER_SECOND: '2500',
  ANSWER_BUDGET_FACTOR: '1',
  READS_RETENTION_DAYS: '400',
  ARCHIVE_DIR: '/var/lib/gridlens/archive',
  LEDGER_RETENTION_DAYS: '35',
  DEFAULT_TENANT_ID: 'DEMO_TENANT',
  WORKER_METRICS_PORT: '9464',
  WORKER_METRICS_HOST: '127.0.0.1',
  IMPORT_FOLDER: '/var/tmp',
  IMPORT_MAX_MB: '1024',
  LOG_LEVEL: 'info',
  GRIDLENS_DATA_DIR: '.gridlens',
};

/** A whole number in decimal digits: `Number('')` is 0 and `Number('0x10')` is 16, neither of them meant. */
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number between ${min} and ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number between ${min} and ${max}`);

const redisUrl = z.string().superRefine((value, context) => {
  const problem = redisUrlProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const databaseUrl = ({ takesWrites }: { takesWrites: boolean }) =>
  z.string().superRefine((value, context) => {
    const message = databaseUrlProblem(value, takesWrites);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const origin = z
  .string()
  .refine(
    (value) => URL.canParse(value) && new URL(value).origin === value,
    'must be comma-separated origins: scheme, host and port, with no path and no trailing slash',
  );

const yesOrNo = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((value) => value === 'true')
  .default(false);

const environmentSchema = z.object({
  PORT: wholeNumber(1, 65_535).default(5000),
  HOST: z.string().default('127.0.0.1'),
  DATABASE_URL: databaseUrl({ takesWrites: true }).optional(),
  DATABASE_READ_URL: databaseUrl({ takesWrites: false }).optional(),
  DATABASE_READ_MAX_STALENESS_SECONDS: wholeNumber(1, 3_600).default(30),
  // Turns of the upkeep hold all but one of them for seconds: fewer would leave too little for batches.
  DATABASE_POOL_MAX: wholeNumber(4, 200).optional(),
  QUEUE_DATABASE_URL: databaseUrl({ takesWrites: true }).optional(),
  QUEUE_POOL_MAX: wholeNumber(1, 50).optional(),
  DEPLOYMENT_NAME: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 letters, digits, dots, dashes or underscores')
    .optional(),
  CLOCK_TOLERANCE_SECONDS: wholeNumber(1, 999_999_999).default(5),
  REDIS_URL: redisUrl.optional(),
  DATABASE_PASSWORD: z.string().optional(),
  GRIDLENS_API_KEY: apiKeys.optional(),
  GRIDLENS_READ_KEY: apiKeys.optional(),
  // More would let a caller choose its own address: each hop that is not there is one that the caller may write.
  TRUSTED_PROXY_HOPS: wholeNumber(0, 10).default(0),
  READS_PER_ADDRESS: wholeNumber(0, 1_000_000).default(200),
  // A process that is told to stop is gone after 10 s, and its last answers and its pools take 3 of them.
  STOP_GRACE_SECONDS: wholeNumber(0, 6).default(1),
  QUEUES_WRITABLE: yesOrNo,
  QUEUE_TELEMETRY: yesOrNo,
  ALLOWED_HOSTS: z
    .string()
    .transform((value) => value.split(',').map((entry) => entry.trim()))
    .pipe(
      z.array(z.string().regex(/^[\w-]+(\.[\w-]+)*$/, 'must be host names without port, comma-separated')),
    )
    .optional(),
  CORS_ORIGINS: z
    .string()
    .transform((value) => value.split(',').map((entry) => entry.trim()))
    .pipe(z.array(origin))
    .default(['https://app.gridlensenergy.com']),
  WORKER_CONCURRENCY: z
    .string()
    .regex(/^([5-9]|10|adaptive)$/, 'must be a whole number between 5 and 10, or adaptive')
    .transform((value) => (value === 'adaptive' ? value : Number(value)))
    .default(8),
  MAX_READS_PER_SECOND: wholeNumber(1, 999_999_999)
    .refine(
      (value) => value <= MAX_READS_PER_SECOND,
      `may only be lowered: ${MAX_READS_PER_SECOND} reads a second is the safety limit of every deployment`,
    )
    .default(MAX_READS_PER_SECOND),
  // 20: what hangs for longer than 40 s is broken on any machine.
  ANSWER_BUDGET_FACTOR: wholeNumber(1, 20).default(1),
  READS_RETENTION_DAYS: wholeNumber(1, 36_500).optional(),
  ARCHIVE_DIR: z.string().optional(),
  // Catch-up asks the ledger what was published in the last four days at most.
  LEDGER_RETENTION_DAYS: wholeNumber(7, 36_500).default(35),
  DEFAULT_TENANT_ID: tenantId.default(DEFAULT_TENANT_ID),
  WORKER_METRICS_PORT: wholeNumber(1, 65_535).optional(),
  WORKER_METRICS_HOST: z.string().default('127.0.0.1'),
  IMPORT_FOLDER: z.string().optional(),
  IMPORT_MAX_MB: wholeNumber(1, 1_000_000).default(1024),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  GRIDLENS_DATA_DIR: z.string().default('.gridlens'),
  GRIDLENS_EMBEDDED: z.literal('1').optional(),
});

export interface LoadOptions {
  /**
   * `start` brings a Postgres and a key where none is given; the single processes need both; the commands run by hand may
   * look for the Postgres that `start` has brought.
   */
  command:
    | 'start'
    | 'api'
    | 'worker'
    | 'migrate'
    | 'score'
    | 'fleet'
    | 'import'
    | 'export'
    | 'backfill'
    | 'vee'
    | 'doctor'
    | 'demo'
    | 'scenario'
    | 'archive';
  /** Folder that relative paths and `.env` are taken from. */
  cwd?: string;
}

/**
 * Environment and `.env` → Config. A blank variable counts as unset, except the key.
 *
 * @throws StartupError one sentence per bad variable, all of them together; no value of a secret is shown. One sentence
 * when there is a `.env` that cannot be read.
 */
export function loadConfig(processEnv: NodeJS.ProcessEnv, options: LoadOptions): Config {
  const cwd = options.cwd ?? process.cwd();
  const fromFile = parseEnv(envFileText(resolve(cwd, '.env'), isSet(processEnv.DATABASE_URL)));
  const given = { ...fromFile, ...processEnv };
  const { env, problems } = withSecretFiles(withoutBlanks(given), cwd);
  const parsed = environmentSchema.safeParse(env);
  problems.push(...(parsed.success ? doubtful(parsed.data) : parsed.error.issues.map(problemOf)));
  problems.push(...missing(env, options.command, isBlank(given.GRIDLENS_API_KEY)));
  // A substitution that came out empty would open what was to be closed.
  for (const name of ['GRIDLENS_READ_KEY', 'GRIDLENS_READ_KEY_FILE'])
    if (env.GRIDLENS_READ_KEY === undefined && isBlank(given[name]))
      problems.push({ name, reason: 'is blank: remove it where everybody may read' });
  if (!parsed.success || problems.length > 0) throw new StartupError(sentence(problems));

  const values = parsed.data;
  const withItsPassword = (url: string | undefined): string | undefined =>
    url === undefined || values.DATABASE_PASSWORD === undefined
      ? url
      : withPassword(url, values.DATABASE_PASSWORD);
  const embedded = values.GRIDLENS_EMBEDDED === '1' || values.DATABASE_URL === undefined;
  return Object.freeze({
    port: values.PORT,
    host: values.HOST,
    databaseUrl: withItsPassword(values.DATABASE_URL),
    databaseReadUrl: withItsPassword(values.DATABASE_READ_URL),
    databaseReadMaxStalenessSeconds: values.DATABASE_READ_MAX_STALENESS_SECONDS,
    databasePoolMax: values.DATABASE_POOL_MAX,
    redisUrl: values.REDIS_URL,
    queueDatabaseUrl: withItsPassword(values.QUEUE_DATABASE_URL),
    deploymentName: values.DEPLOYMENT_NAME,
    queuePoolMax: values.QUEUE_POOL_MAX,
    clockToleranceSeconds: values.CLOCK_TOLERANCE_SECONDS,
    apiKeys: values.GRIDLENS_API_KEY ?? [],
    readKeys: values.GRIDLENS_READ_KEY ?? [],
    trustedProxyHops: values.TRUSTED_PROXY_HOPS,
    readsPerAddress: values.READS_PER_ADDRESS,
    stopGraceSeconds: values.STOP_GRACE_SECONDS,
    queuesWritable: values.QUEUES_WRITABLE,
    queueTelemetry: values.QUEUE_TELEMETRY,
    allowedHosts: values.ALLOWED_HOSTS,
    corsOrigins: values.CORS_ORIGINS,
    corsAllowLocalhost: embedded && env.CORS_ORIGINS === undefined,
    workerConcurrency: values.WORKER_CONCURRENCY,
    maxReadsPerSecond: values.MAX_READS_PER_SECOND,
    answerBudgetFactor: values.ANSWER_BUDGET_FACTOR,
    readsRetentionDays: values.READS_RETENTION_DAYS,
    archiveDir: values.ARCHIVE_DIR === undefined ? undefined : resolve(cwd, values.ARCHIVE_DIR),
    ledgerRetentionDays: values.LEDGER_RETENTION_DAYS,
    defaultTenantId: values.DEFAULT_TENANT_ID,
    workerMetrics:
      values.WORKER_METRICS_PORT === undefined
        ? undefined
        : { port: values.WORKER_METRICS_PORT, host: values.WORKER_METRICS_HOST },
    importFolder: values.IMPORT_FOLDER === undefined ? tmpdir() : resolve(cwd, values.IMPORT_FOLDER),
    importMaxBytes: values.IMPORT_MAX_MB * 2 ** 20,
    logLevel: values.LOG_LEVEL,
    dataDir: isAbsolute(values.GRIDLENS_DATA_DIR)
      ? values.GRIDLENS_DATA_DIR
      : resolve(cwd, values.GRIDLENS_DATA_DIR),
    embedded,
  });
}

const isSet = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';
const isBlank = (value: string | undefined): boolean => value !== undefined && value.trim() === '';

function withoutBlanks(env: Record<string, string | undefined>): Record<string, string> {
  const filled = Object.entries(env).filter(([, value]) => isSet(value));
  return Object.fromEntries(filled.map(([name, value]) => [name, (value as string).trim()]));
}

/** Only the reason is taken from the schema: zod's own messages may carry the value, and that may be secret. */
function problemOf(issue: z.core.$ZodIssue): Problem {
  return { name: String(issue.path[0]), reason: issue.message };
}

/** What each variable alone cannot tell. */
function doubtful(values: z.output<typeof environmentSchema>): Problem[] {
  const { GRIDLENS_API_KEY: writing = [], GRIDLENS_READ_KEY: reading = [] } = values;
  const problems: Problem[] = [];
  if (reading.some((key) => writing.includes(key))) {
    const reason = 'has a key that GRIDLENS_API_KEY has too: whoever may read could write';
    problems.push({ name: 'GRIDLENS_READ_KEY', reason });
  }
  const { DATABASE_URL: url, DATABASE_PASSWORD: password } = values;
  if (url !== undefined && password !== undefined && !url.includes('@'))
    problems.push({
      name: 'DATABASE_PASSWORD',
      reason: 'is set, but DATABASE_URL names no user whose it is',
    });
  return problems;
}

function missing(env: Record<string, string>, command: LoadOptions['command'], blankKey: boolean): Problem[] {
  const problems: Problem[] = [];
  const findsDatabase = !['api', 'worker', 'migrate'].includes(command);
  if (!findsDatabase && env.DATABASE_URL === undefined) {
    const reason = `is not set: npm run ${command} needs a Postgres to run on, and only npm start brings its own`;
    problems.push({ name: 'DATABASE_URL', reason });
  }
  const needsKey = command === 'api' || (command === 'start' && env.DATABASE_URL !== undefined);
  if (env.GRIDLENS_API_KEY === undefined && (needsKey || blankKey)) {
    const reason = `is ${blankKey ? 'blank' : 'not set'}: everyone could publish without a key`;
    problems.push({ name: 'GRIDLENS_API_KEY', reason });
  }
  return problems;
}

function sentence(problems: readonly Problem[]): string {
  const lines = problems.map(
    ({ name, reason }) => `${name} ${reason} (example: ${name}=${EXAMPLES[name] ?? '…'}).`,
  );
  return lines.join('\n');
}
