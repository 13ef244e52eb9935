import { AsyncLocalStorage } from 'node:async_hooks';
import { type Database, isTransient } from './db.js';

/** Where answers that may be seconds old are read. */
export interface Reads {
  /** Asks the standby while that is fresh enough, else the primary, also when the standby fails a question. */
  database: Database;
  /**
   * Does the work of one answer, all of it on one server: a tag that was read on the primary must not go with figures of
   * a standby that is behind it. When the standby fails a question, the rest is asked of the primary.
   */
  forOneAnswer<T>(work: () => T): T;
  /** How many seconds old the answer under way is at most: 0 from the primary. Nothing where there is no standby. */
  staleness(): { maxStalenessSeconds?: number };
}

/** Of a process without a standby. */
export function readFromPrimary(primary: Database): Reads {
  return { database: primary, forOneAnswer: (work) => work(), staleness: () => ({}) };
}

export interface StandbyReads extends Reads {
  /** Finds out anew how far the standby is behind; to be called every second or so. */
  look(): Promise<void>;
}

/** Marks that the standby has not reached; at one per second more than any allowed staleness needs. */
const KEPT_MARKS = 4_000;

/** It would take as long on the primary, and its caller's patience is over. */
const TOOK_TOO_LONG = '57014';

/** Which cluster this is, a primary and its standbys alike, and which of its databases. */
const IDENTITY = `(SELECT system_identifier FROM pg_control_system())::text || ' ' || current_database()`;

/**
 * Reads from a standby with a bound on how old they are.
 *
 * The bound is a proof, no guess: the primary's place in its log is noted every second, and what the standby has
 * replayed up to such a place is as old as the note at most. `pg_last_xact_replay_timestamp` would show a standby that
 * has lost its primary as fresh as one that has nothing to replay. The place is the end of what has been inserted into the
 * log: with `synchronous_commit` off a commit is answered before its record is written.
 *
 * @param now a clock that never jumps, in ms.
 */
export function readFromStandby(
  primary: Database,
  standby: Database,
  maxStalenessSeconds: number,
  now: () => number = () => performance.now(),
): StandbyReads {
  let marks: { at: number; place: string }[] = [];
  /** Everything that was committed before this has been replayed. */
  let provenAt: number | undefined;
  let identity: string | undefined;
  /** What the answer under way is read by. */
  const answers = new AsyncLocalStorage<{ standbyProvenAt: number | undefined }>();

  /** The proof by which the standby may be asked now; undefined where it is too old. */
  const freshProof = (): number | undefined =>
    provenAt !== undefined && now() - provenAt <= maxStalenessSeconds * 1_000 ? provenAt : undefined;

  const mark = async (): Promise<void> => {
    const at = now();
    const { rows } = await primary.query<{ place: string; identity: string }>(
      `SELECT pg_current_wal_insert_lsn()::text AS place, ${IDENTITY} AS identity`,
    );
    const [found] = rows as [(typeof rows)[number]];
    identity = found.identity;
    marks = [...marks, { at, place: found.place }].slice(-KEPT_MARKS);
  };

  const compare = async (): Promise<void> => {
    const { rows } = await standby.query<{ isStandby: boolean; identity: string; reached: number }>(
      `SELECT pg_is_in_recovery() AS "isStandby", ${IDENTITY} AS identity,
         (SELECT count(*) FROM unnest($1::pg_lsn[]) AS place WHERE place <= pg_last_wal_replay_lsn())::int AS reached`,
      [marks.map(({ place }) => place)],
    );
    const [found] = rows as [(typeof rows)[number]];
    // Promoted, it has a history of its own, of which the primary's places say nothing.
    if (!found.isStandby) distrust('is no standby');
    if (identity !== undefined && found.identity !== identity)
      distrust('is a standby of another server, or another database');
    if (found.reached === 0) return;
    provenAt = marks[found.reached - 1]?.at;
    marks = marks.slice(found.reached);
  };

  const distrust = (why: string): never => {
    provenAt = undefined;
    throw new Error(`DATABASE_READ_URL ${why}: everything is read from the primary`);
  };

  /** One question, on the standby as long as that serves this answer. */
  const onEither = async <T>(ask: (database: Database) => Promise<T>): Promise<T> => {
    const answer = answers.getStore() ?? { standbyProvenAt: freshProof() };
    if (answer.standbyProvenAt === undefined) return ask(primary);
    try {
      return await ask(standby);
    } catch (error) {
      if (!isTransient(error) || (error as { code?: string }).code === TOOK_TOO_LONG) throw error;
      // Away, or the question was in the way of what it had to replay: the next look may trust it again.
      answer.standbyProvenAt = undefined;
      provenAt = undefined;
      return ask(primary);
    }
  };

  const database = new Proxy(primary, {
    get(target, name) {
      if (name === 'query')
        return (...args: unknown[]) => onEither((one) => Reflect.apply(one.query, one, args));
      if (name === 'connect') return () => onEither((one) => one.connect());
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

  return {
    database,
    forOneAnswer: (work) => answers.run({ standbyProvenAt: freshProof() }, work),
    staleness() {
      const since = answers.getStore()?.standbyProvenAt;
      return { maxStalenessSeconds: since === undefined ? 0 : Math.ceil((now() - since) / 100) / 10 };
    },
    async look() {
      // A primary that is away leaves the old marks, and the standby may still get to them.
      const [marked] = await Promise.allSettled([mark()]);
      await compare();
      if (marked.status === 'rejected') throw marked.reason;
    },
  };
}
