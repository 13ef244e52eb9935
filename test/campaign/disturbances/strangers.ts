import { setTimeout as sleep } from 'node:timers/promises';
import { API_KEY } from '../../support/deployment.js';
import { flood } from '../../support/flood.js';
import { openRaw } from '../../support/rawHttp.js';
import { startCrowd } from '../../support/startCrowd.js';
import type { Disturbance } from '../campaign.js';
import { BACKENDS } from '../queueServers.js';
import type { Scene } from '../scene.js';

const QUICKCHECK = '/api/ami/kpi/quickcheck?tenantId=CAMPAIGN_A';

/** Its targets of memory and time are judged by `npm run endurance -- strangers`, which has the machine to itself. */
export const floods: Disturbance = {
  about: 'strangers: 200 pollers without pause, and bursts of pipelined reads',
  backends: BACKENDS,
  rounds: { long: 5, short: 1 },
  async round({ fleet }, number, isShort, { say }) {
    const [api] = fleet.running('api');
    if (api?.url === undefined || api.child.pid === undefined) throw new Error('the API is gone');
    const crowd = await startCrowd(api.url, {
      ...{ pollers: isShort ? 50 : 200, path: QUICKCHECK, addresses: isShort ? 50 : 200 },
    });
    try {
      const burst = number % 2 === 0 ? { sockets: 50, each: 2_000 } : { sockets: 1, each: 20_000 };
      const { memory, slowest, silent, answered } = await flood(api.url, api.child.pid, {
        ...burst,
        ...{ path: QUICKCHECK, ms: isShort ? 4_000 : 20_000 },
      });
      say(
        `${burst.sockets} × ${burst.each} reads: ${answered} answered, memory × ${(memory.most / memory.before).toFixed(2)}, /healthz at most ${slowest.toFixed(0)} ms`,
      );
      if (silent > 0) throw new Error(`/healthz gave no answer ${silent} times`);
    } finally {
      await crowd.stop();
    }
  },
};

const POST = (length: number): string =>
  `POST /api/ami/publish-once HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${API_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
/** It would be seen: a tenant of which nobody else asks anything. */
const CUT = '{"tenantId":"CUT_OFF","meterCount":10,"readAt":"2026-01-01T00:00:00Z"';

/** What sockets send; the last of each is left as it is, half open. */
const SENDINGS: readonly (string | Buffer)[] = [
  '',
  'GET',
  'GET / HTTP/1.1\r\nHost: localhost\r\nX: ',
  `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
  `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n\r\n`,
  '\r\n\r\n\r\n\r\n',
  '\0\0\0\0\0\0\0\0\r\n\r\n',
  Buffer.from('16030100a5010000a10303', 'hex'),
  'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  // One byte of the body is missing, and the one that says that it ends.
  `${POST(CUT.length + 1)}${CUT}`,
  `${POST(1_000_000_000)}{`,
  POST(50),
  `POST /api/ami/publish-once HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${API_KEY}\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzz\r\n`,
  `POST /api/ami/publish-once HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${API_KEY}\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nfffffff\r\n{`,
];
const SOCKETS = { long: 400, short: 60 };

export const hostileSockets: Disturbance = {
  about: 'sockets that send half of something, garbage or nothing, and are left, ended or reset',
  backends: BACKENDS,
  rounds: { long: 10, short: 1 },
  async round(scene, _number, isShort) {
    const url = scene.fleet.running('api')[0]?.url;
    if (url === undefined) throw new Error('the API is gone');
    const opened = await Promise.all(
      Array.from({ length: isShort ? SOCKETS.short : SOCKETS.long }, () => hostileSocket(url, scene)),
    );
    await sleep(isShort ? 1_000 : 10_000);
    const health = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) }).catch(
      (error: Error) => {
        const { fleet } = scene;
        throw new Error(
          `/healthz gave no answer: ${String(error.cause ?? error)}; ${fleet.endedByThemselves()} processes ended; ${fleet
            .logged(/"level":[56]0|Error|at /)
            .slice(-8)
            .join(' ¦ ')}`,
        );
      },
    );
    for (const { socket } of opened) socket.destroy();
    if (!health.ok) throw new Error(`/healthz answered ${health.status}`);
    const { rows } = await scene
      .pool()
      .query(`SELECT count(*)::integer AS n FROM ami_publishes WHERE tenant_id = 'CUT_OFF'`);
    if (rows[0].n > 0) throw new Error('a body that never came whole was accepted');
  },
};

async function hostileSocket(url: string, { random }: Scene) {
  const sending = SENDINGS[Math.floor(random() * SENDINGS.length)] as string | Buffer;
  const end = random();
  const opened = await openRaw(url);
  opened.socket.write(sending);
  if (end < 0.2) opened.socket.end();
  else if (end < 0.4) opened.socket.resetAndDestroy();
  return opened;
}
