import fc from 'fast-check';
import type { Kind } from '../fleet.js';
import type { Scene } from '../scene.js';
import { SETTLE_MS, untilSettled } from './check.js';
import {
  addEvent,
  ask,
  callOff,
  type ModelState,
  QUARTER_MS,
  readAtOf,
  settle,
  startAutomatic,
} from './modelState.js';
import { post, postEvent } from './realTenant.js';

export type ModelCommand = fc.AsyncCommand<ModelState, Scene>;

/** Quarter hours of the past that commands are about. */
const SLOTS = 8;
const FEEDERS = 10;

function command(
  name: string,
  check: (state: Readonly<ModelState>) => boolean,
  run: (state: ModelState, scene: Scene) => Promise<void>,
): ModelCommand {
  return { check, run, toString: () => name };
}

const always = (): boolean => true;
const fleetOf = ({ tenantId, meters }: ModelState) => ({
  tenantId,
  meterCount: meters,
  feederCount: FEEDERS,
});

const publish = fc.tuple(fc.nat(SLOTS - 1), fc.constantFrom(5, 10, 20)).map(([slot, batchSize]) =>
  command(`publish(${slot}, ${batchSize})`, always, async (state, scene) => {
    const body = { ...fleetOf(state), batchSize, readAt: readAtOf(slot) };
    ask(state, readAtOf(slot), true);
    const { sent } = await post(scene, 'publish-once', body);
    state.accepted += 1;
    state.sent += sent;
  }),
);

const event = fc
  .tuple(
    fc.constantFrom('theft', 'voltage-sag', 'voltage-sag'),
    ...[fc.nat(FEEDERS - 1), fc.nat(SLOTS - 1), fc.integer({ min: 1, max: 4 })],
  )
  .map(([type, feeder, from, length]) =>
    command(`event(${type}, ${feeder}, ${from}, ${length})`, always, async (state, scene) => {
      const { tenantId, events } = state;
      // Its second tells it from the other events of the tenant; it still ends where it should.
      const startAt = new Date(
        new Date(readAtOf(from)).getTime() + (events.length + 1) * 1_000,
      ).toISOString();
      const id = await postEvent(scene, type, {
        ...{ tenantId, feederId: `FEEDER_${feeder + 1}`, severity: 1, startAt },
        ...{ durationMinutes: 15 * length - 1 },
      });
      addEvent(state, { id, type, feeder: `FEEDER_${feeder + 1}`, from, to: from + length });
    }),
  );

/** All events are over, so that stopping one changes no read. */
const stopEvent = fc.nat(20).map((place) =>
  command(
    `stopEvent(${place})`,
    ({ events }) => events.length > 0,
    async ({ events }, scene) => {
      const stopped = events[place % events.length];
      await post(scene, `event/${stopped?.id}/stop`, {});
    },
  ),
);

const backfill = fc.tuple(fc.nat(SLOTS - 1), fc.integer({ min: 1, max: 3 })).map(([from, length]) =>
  command(`backfill(${from}, ${length})`, always, async (state, scene) => {
    const to = from + length;
    const { body } = await post(scene, 'backfill', {
      ...{ ...fleetOf(state), batchSize: 10, from: readAtOf(from), to: readAtOf(to) },
    });
    const readAts = Array.from({ length }, (_, place) => readAtOf(from + place));
    // Certain only where nobody calls it off: decided when it is over.
    for (const readAt of readAts) ask(state, readAt, false);
    const id = String(body.backfillId);
    if (!state.backfills.some((known) => known.id === id))
      state.backfills.push({ id, readAts, isCancelled: false });
  }),
);

const cancel = fc.nat(20).map((place) =>
  command(
    `cancel(${place})`,
    ({ backfills }) => backfills.length > 0,
    async (state, scene) => {
      const index = place % state.backfills.length;
      await post(scene, `backfill/${state.backfills[index]?.id}/cancel`, {});
      callOff(state, index);
    },
  ),
);

const autoStart = fc.integer({ min: 1, max: 3 }).map((catchUpIntervals) =>
  command(`autoStart(${catchUpIntervals})`, always, async (state, scene) => {
    const before = Math.floor(Date.now() / QUARTER_MS);
    await post(scene, 'auto/start', { ...fleetOf(state), batchSize: 10, catchUpIntervals });
    const after = Math.floor(Date.now() / QUARTER_MS);
    const numbers = Array.from({ length: after - before + catchUpIntervals }, (_, place) => after - place);
    const readAt = (number: number): string => new Date(number * QUARTER_MS).toISOString();
    // The tick that looks back may come after the next boundary, and leaves out the oldest one then.
    const soon = Math.floor((Date.now() + SETTLE_MS) / QUARTER_MS);
    const certain = numbers.filter((number) => soon - catchUpIntervals < number && number <= before);
    startAutomatic(state, numbers.map(readAt), new Set(certain.map(readAt)));
  }),
);

const autoStop = fc.constant(
  command(
    'autoStop',
    ({ isAutomatic }) => isAutomatic,
    async (state, scene) => stopAutomatic(state, scene),
  ),
);

/** What a tenant that is stopped still had to come is owed no longer: it is waited for before. */
export async function stopAutomatic(state: ModelState, scene: Scene): Promise<void> {
  await untilSettled(state, scene);
  await post(scene, 'auto/stop', { tenantId: state.tenantId });
  state.isAutomatic = false;
  settle(state);
}

const wait = fc.constant(
  command('wait', always, async (state, scene) => {
    await untilSettled(state, scene);
    settle(state);
  }),
);

const disturb = fc
  .tuple(fc.constantFrom<Kind>('api', 'worker'), fc.nat(1), fc.constantFrom('SIGKILL', 'SIGTERM'))
  .map(([kind, number, signal]) =>
    command(`${signal}(${kind} ${number})`, always, async (state, scene) => {
      state.kills += 1;
      await scene.fleet.replace(kind, number, signal as NodeJS.Signals);
    }),
  );

/** Of each kind of command but kills. A process takes seconds to start, and a hundred times as much CPU as a publish. */
const WEIGHT = 80;

/**
 * Commands in the order in which they come.
 *
 * @param kills weight of kills and restarts, 80 for each other kind of command.
 */
export const commands = (kills: number): fc.Arbitrary<Iterable<ModelCommand>> =>
  fc.commands(
    [
      fc.oneof(
        ...[publish, publish, event, stopEvent, backfill, cancel, autoStart, autoStop, wait].map(
          (arbitrary) => ({
            ...{ arbitrary, weight: WEIGHT },
          }),
        ),
        { arbitrary: disturb, weight: kills },
      ),
    ],
    { maxCommands: 12, size: 'max' },
  );
