/**
 * Room: contracts. Promises: each shape, limit and error that others rely on has one owner here, without I/O,
 * clock or environment.
 */

/**
 * The safety limits that the scale request asked for (docs/decisions/README.md), in one place. Nothing in the product
 * may exceed them; an operator may lower the rate, never raise it.
 */

/** Meters one job may carry. */
export const MAX_BATCH_SIZE = 500;
/** Meters one publish may cover. */
export const MAX_METER_COUNT = 25_000;
/** Feeders a fleet may be spread over. */
export const MIN_FEEDER_COUNT = 10;
export const MAX_FEEDER_COUNT = 40;
/** Jobs one publish may enqueue, whatever its batch size, so that a mistake cannot run away. */
export const MAX_JOBS_PER_PUBLISH = 200;
/** Meter reads per second, all tenants and processes of a deployment together (D11). */
export const MAX_READS_PER_SECOND = 2_500;
/** Batches owed by the ledger, or jobs waiting, delayed and active, whichever are more: a publish that goes beyond is refused (D12). */
export const MAX_QUEUE_DEPTH = 500;
/** Jobs one tick of the automatic mode may enqueue (25,000 meters in batches of 500). */
export const MAX_JOBS_PER_TICK = 50;
/**
 * Background jobs among MAX_QUEUE_DEPTH. 100 jobs are 20 s of work: the supplier runs every 1–2 s, so the lane never
 * runs dry, and 400 places stay free for ticks, publishes and revisions.
 */
export const MAX_BACKGROUND_JOBS = 100;
/** Aligned intervals that catch-up may look back over, the running one included. */
export const MAX_CATCH_UP_INTERVALS = 96;
/** How many times faster than life a replay may be asked to run: a quarter hour a second. */
export const MAX_REPLAY_SPEED = 900;
/** JSON body size, in bytes: 100 kB, over a hundred times the largest sensible request. */
export const MAX_BODY_BYTES = 100 * 1024;
/** Meters an event may name, and the characters of a meter's id. */
export const MAX_EVENT_METER_IDS = 5_000;
export const MAX_METER_ID_LENGTH = 128;
/**
 * Body of an event, in bytes: all of its meter ids, with up to 4 bytes per character and 6 more for quotes, comma and
 * indentation. Ids of our own (`DEMO_TENANT-MTR-00007`) take a fifth of it.
 */
export const MAX_EVENT_BODY_BYTES = MAX_BODY_BYTES + MAX_EVENT_METER_IDS * (4 * MAX_METER_ID_LENGTH + 6);

export const INTERVAL_MINUTES = [15, 60] as const;
export type IntervalMinutes = (typeof INTERVAL_MINUTES)[number];
