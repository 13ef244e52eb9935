import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the page does between its answers, ms: `page/data/useTenant.ts`, `page/data/useVersioned.ts`, `page/App.tsx`. */
const WRITING_MS = 2_000;
const CALM_MS = 5_000;
const LEAST_PAUSE_MS = 3_000;
const ANYWAY_MS = 30_000;
const TENANTS_MS = 60_000;
/** Connections of a browser to one host over HTTP/1.1. */
const CONNECTIONS = 6;

/** What one browser with the overview open has seen. */
export interface SimulatedBrowser {
  /** Of each answer of quickcheck, ms. */
  quickchecks: number[];
  /** Answers by status, of all routes. */
  statuses: Record<number, number>;
  stop(): Promise<void>;
}

interface Answer {
  status: number;
  text: string;
  ms: number;
}

/**
 * Asks an API as the overview does, with the pauses and the tags of a browser. It draws nothing, so that one process can be
 * hundreds of them.
 */
export function simulateBrowser(port: number, tenantId: string): SimulatedBrowser {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const stopping = new AbortController();
  const tags = new Map<string, { tag: string; text: string }>();
  const quickchecks: number[] = [];
  const statuses: Record<number, number> = {};

  const ask = (path: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const kept = tags.get(path);
      const headers = kept ? { 'If-None-Match': kept.tag } : {};
      const options = { host: '127.0.0.1', port, path: `/api/ami${path}`, headers, agent };
      get(options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 0;
          const ms = performance.now() - startedAt;
          statuses[status] = (statuses[status] ?? 0) + 1;
          const text = status === 304 ? (kept?.text ?? '') : Buffer.concat(chunks).toString();
          if (status === 200 && answer.headers.etag) tags.set(path, { tag: answer.headers.etag, text });
          resolve({ status, text, ms });
        });
      }).on('error', reject);
    });
  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  /** The parts of the page that follow the key figures. */
  const followers = (): string[] => {
    const to = (Math.floor(Date.now() / 900_000) + 1) * 900_000;
    const span = `from=${new Date(to - 86_400_000).toISOString()}&to=${new Date(to).toISOString()}`;
    return [
      `/events?tenantId=${tenantId}&limit=200`,
      `/backfills?tenantId=${tenantId}`,
      `/auto/status?tenantId=${tenantId}`,
      `/kpi/feeders/intervals?tenantId=${tenantId}&${span}&measures=lossPct`,
    ];
  };
  let followedAt = Number.NEGATIVE_INFINITY;
  let version = '';
  const follow = async (): Promise<void> => {
    followedAt = performance.now();
    await Promise.all(followers().map(ask));
  };
  const pollQuickcheck = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const { status, text, ms } = await ask(`/kpi/quickcheck?tenantId=${tenantId}`);
      quickchecks.push(ms);
      const isRead = status === 200 || status === 304;
      const { latest, latestFeeders } = isRead ? JSON.parse(text) : { latest: null, latestFeeders: null };
      const seen = JSON.stringify([latest, latestFeeders]);
      const since = performance.now() - followedAt;
      if (isRead && ((seen !== version && since >= LEAST_PAUSE_MS) || since >= ANYWAY_MS)) {
        version = seen;
        void follow().catch(() => undefined);
      }
      await pause(latest?.complete === true ? CALM_MS : WRITING_MS);
    }
  };
  const pollTenants = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await ask('/tenants');
      await pause(TENANTS_MS);
    }
  };
  const running = Promise.all([pollQuickcheck(), pollTenants()]).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return {
    quickchecks,
    statuses,
    async stop() {
      stopping.abort();
      await running;
      agent.destroy();
    },
  };
}
