import { z } from 'zod';
import {
  canonicalEmulation,
  customers,
  der,
  type Emulation,
  lateness,
  model,
  NETWORKS,
  oddities,
  place,
} from './emulation.js';
import { MAX_BATCH_SIZE } from './limits.js';
import { climate, DEFAULT_CLIMATE, DEFAULT_TIME_ZONE, timeZone } from './place.js';

const described = z.object({
  publishId: z.uuid(),
  batch: z.int().nonnegative(),
  tenantId: z.string().min(1),
  /** Start of the interval; the worker stamps reads with exactly this. */
  readAt: z.iso.datetime().transform((value) => new Date(value)),
  intervalMinutes: z.union([z.literal(15), z.literal(60)]),
  seed: z.string(),
  from: z.int().nonnegative(),
  to: z.int().positive(),
  // With defaults: jobs that were queued before there was a choice are of these.
  timeZone: timeZone.default(DEFAULT_TIME_ZONE),
  climate: climate.default(DEFAULT_CLIMATE),
  onConflict: z.enum(['nothing', 'update']),
  /**
   * The last batch of a job that carries several, and where it ends: from the first on, all but it are of one size.
   * Without it a job carries one batch. A worker from before there was such a job writes the first batch only, and the
   * upkeep puts the others back.
   */
  last: z.object({ batch: z.int().nonnegative(), to: z.int().positive() }).optional(),
  /** The request that asked for it, so that the worker's log lines can be found from the API's. */
  requestId: z.string().optional(),
});

const syntheticRoster = z.object({
  fleet: z.object({ meterCount: z.int().positive(), feederCount: z.int().positive() }),
  fleetId: z.never().optional(),
  meterCount: z.never().optional(),
  importId: z.never().optional(),
  late: z.never().optional(),
  emulated: z.never().optional(),
});
// Never with a `fleet`: workers from before registry fleets require one, and would generate just that.
const registryRoster = z.object({
  fleet: z.never().optional(),
  /** The snapshot of the registry. */
  fleetId: z.string().regex(/^\d{1,19}$/),
  /** The publish covers the first `meterCount` meters of the roster. */
  meterCount: z.int().positive(),
  importId: z.never().optional(),
  late: z.never().optional(),
  emulated: z.never().optional(),
});

const lateDelivery = z.object({
  /** The instant of the delivery: outages that are over by then hold nothing back any more. */
  asOf: z.iso.datetime().transform((value) => new Date(value)),
  /** Events that were posted later are not in the reads. */
  knownAt: z.iso.datetime().transform((value) => new Date(value)),
});

/** What a fleet's reads are made by, where it is not model 1 with nothing behind the meters. */
const emulation = z.object({
  model,
  place: place.optional(),
  customers: customers.default({}),
  der: der.default({}),
  network: z
    .object({
      quality: z.enum(NETWORKS).optional(),
      oddities: oddities.optional(),
      lateness: lateness.optional(),
    })
    .default({}),
});

const bare = { late: true, emulated: true } as const;
const lateRoster = lateDelivery.and(z.union([syntheticRoster.omit(bare), registryRoster.omit(bare)]));

/** What the positions count in: a roster, or the reads of a file. */
const roster = z.union([
  syntheticRoster,
  registryRoster,
  // With neither: workers from before imports require one, and would emulate what was measured.
  z.object({
    fleet: z.never().optional(),
    fleetId: z.never().optional(),
    meterCount: z.never().optional(),
    /** The file that the reads come from; positions count in its reads. */
    importId: z.int().positive(),
    late: z.never().optional(),
    emulated: z.never().optional(),
  }),
  // The roster within: workers from before late deliveries would take the outage for one that still lasts.
  z.object({
    fleet: z.never().optional(),
    fleetId: z.never().optional(),
    meterCount: z.never().optional(),
    importId: z.never().optional(),
    late: lateRoster,
    emulated: z.never().optional(),
  }),
  // Likewise: workers from before there was a choice would make reads of model 1.
  z.object({
    fleet: z.never().optional(),
    fleetId: z.never().optional(),
    meterCount: z.never().optional(),
    importId: z.never().optional(),
    late: z.never().optional(),
    emulated: emulation.and(
      z.union([
        syntheticRoster.omit({ emulated: true }),
        registryRoster.omit({ emulated: true }),
        z.object({
          fleet: z.never().optional(),
          fleetId: z.never().optional(),
          meterCount: z.never().optional(),
          late: lateRoster,
        }),
      ]),
    ),
  }),
]);

type Outer = 'late' | 'emulated';
type Roster = Omit<z.infer<typeof syntheticRoster>, Outer> | Omit<z.infer<typeof registryRoster>, Outer>;
type FileRoster = { [key in keyof Roster]?: undefined } & { importId: number };

/** A batch to be written. A late delivery's says what is late in it; without an emulation it is of model 1 alone. */
export type BatchJob = z.infer<typeof described> &
  (Roster | FileRoster) & { late?: z.infer<typeof lateDelivery> | undefined; emulation?: Emulation };

/**
 * What a queued job carries: ranges, never lists of meters, so that it stays a few hundred bytes whatever
 * the batch size (D3). Everything a read depends on is here or in the database; the clock is not.
 */
export const batchJob = described
  .and(roster)
  .refine((job) => job.to > job.from && (job.last?.to ?? job.to) - job.from <= MAX_BATCH_SIZE, {
    message: `a job covers between 1 and ${MAX_BATCH_SIZE} meters`,
  })
  .refine(({ batch, from, to, last }) => !last || isEnd(last, { batch, from, to }), {
    message: 'the last batch of a job begins where the one before it ends',
  })
  .transform(({ emulated, late: bare, ...job }): BatchJob => {
    if (emulated === undefined) return { ...job, ...unwrapped(bare) } as BatchJob;
    const { model, place = null, customers, der, network, late, ...roster } = emulated;
    const emulation = canonicalEmulation({ model, place, customers, der, network } as Emulation);
    return { ...job, ...roster, ...unwrapped(late), emulation } as BatchJob;
  });
/** The same as it stands in the queue: JSON. */
export type BatchJobPayload = z.input<typeof batchJob>;

/** A late delivery's roster and instants, side by side. */
function unwrapped(late: z.infer<typeof lateRoster> | undefined): object {
  if (late === undefined) return {};
  const { asOf, knownAt, ...roster } = late;
  return { ...roster, late: { asOf, knownAt } };
}

/** Whether batches as large as the first reach the beginning of the last, and the last is no larger. */
function isEnd(
  last: { batch: number; to: number },
  { batch, from, to }: { batch: number; from: number; to: number },
): boolean {
  const size = to - from;
  const lastFrom = from + (last.batch - batch) * size;
  return last.batch > batch && last.to > lastFrom && last.to <= lastFrom + size;
}

/** The batches that a job carries, in the order of their numbers, each as a job of its own would describe it. */
export function batchesOf({ last, ...first }: BatchJob): BatchJob[] {
  const { batch, from, to } = first;
  const size = to - from;
  const end = last ?? { batch, to };
  return Array.from({ length: end.batch - batch + 1 }, (_, index) => ({
    ...first,
    batch: batch + index,
    from: from + index * size,
    to: Math.min(to + index * size, end.to),
  }));
}

/** Deterministic, so that adding a batch twice leaves one job; no `:`, which BullMQ keeps for itself. */
export function batchJobId(publishId: string, batch: number): string {
  return `${publishId}_${batch}`;
}

/** Who goes first: `background` work starts only while no `live` batch is due. */
export type Lane = 'live' | 'background';
