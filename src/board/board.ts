import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { AppControllerRoute, BullBoardRequest, IServerAdapter } from '@bull-board/api/typings/app';
import express, { type RequestHandler, Router } from 'express';
import { jsonBody } from '../http/jsonBody.js';
import { QUEUE_NAMES, type QueueName, type RawQueue } from '../queues/queueConnections.js';
import { answersInTurn } from './answersInTurn.js';
import { documentOf, UI_FOLDER } from './document.js';
import { shownAnswer, shownData } from './shownData.js';

const DESCRIPTIONS: Record<QueueName, string> = {
  [QUEUE_NAMES.live]: 'Batches of ticks, publishes and revisions.',
  [QUEUE_NAMES.background]: 'Batches of what fills in the past: catch-up, replays, backfills.',
  [QUEUE_NAMES.ticks]: 'What wakes workers at the start of an interval, and their heartbeats.',
};

/** Of one answer. A page shows 10 to 50; of all states together seven times as many are read. */
const MOST_JOBS = 100;

/** What the page would save here is what it was shown, with `…` in place of the fields that are not shown. */
const EDITS = new Set([
  '/api/queues/:queueName/:jobId/update-data',
  '/api/queues/:queueName/job-schedulers/:schedulerId',
]);

interface BoardOptions {
  path: string;
  isWritable: boolean;
}

/**
 * Bull Board over these queues, with its own page and its own routes.
 *
 * Its Express adapter is not used: it is an app of its own, which answers errors in its own way, has no deadline, and renders
 * a document that fetches fonts from another host.
 */
export function createBoard(queues: readonly RawQueue[], { path, isWritable }: BoardOptions): RequestHandler {
  const router = Router();
  const inTurn = answersInTurn();
  const base: Pick<BullBoardRequest, 'queues' | 'uiConfig'> = { queues: new Map(), uiConfig: {} };

  const serve = ({ method, route, handler }: AppControllerRoute): void => {
    const edits = [route].flat().some((path) => EDITS.has(path));
    for (const one of [method].flat()) {
      if (one !== 'get' && (!isWritable || edits)) continue;
      router[one](route, ...(one === 'get' ? [] : jsonBody()), async (request, response) => {
        const { body, status = 200 } = await inTurn(request.method, async () =>
          handler({
            ...base,
            query: bounded(request.query),
            params: request.params,
            body: request.body,
            headers: {},
          }),
        );
        response.status(status).type('json').send(shownAnswer(body));
      });
    }
  };
  const adapter: IServerAdapter = {
    setQueues(boardQueues) {
      base.queues = boardQueues;
      return adapter;
    },
    setUIConfig(uiConfig) {
      base.uiConfig = uiConfig;
      return adapter;
    },
    setStaticPath(route, folder) {
      router.use(route, express.static(folder, { index: false, redirect: false }));
      return adapter;
    },
    setEntryRoute({ route }) {
      router.get(route, (_request, response) => {
        response.set('Cache-Control', 'no-cache').type('html').send(documentOf(path, base.uiConfig));
      });
      return adapter;
    },
    setApiRoutes(routes) {
      for (const route of routes) serve(route);
      return adapter;
    },
    // Its document is not rendered, and errors go the way of all others.
    setViewsPath: () => adapter,
    setErrorHandler: () => adapter,
  };
  createBullBoard({
    queues: queues.map((queue) => adapterOf(queue, isWritable)),
    serverAdapter: adapter,
    options: {
      uiBasePath: UI_FOLDER,
      uiConfig: {
        boardTitle: 'GridLens queues',
        miscLinks: [{ text: 'Dashboard', url: '/' }],
        hideDocsLink: true,
        // Both ask the server for what its documented rights do not cover, and each poll would ask.
        hideRedisDetails: true,
        showWorkers: false,
      },
    },
  });
  return router;
}

function adapterOf(queue: RawQueue, isWritable: boolean): BullMQAdapter {
  const bullmq = queue as unknown as ConstructorParameters<typeof BullMQAdapter>[0];
  const adapter = new BullMQAdapter(bullmq, {
    readOnlyMode: !isWritable,
    description: DESCRIPTIONS[bullmq.name as QueueName],
  });
  adapter.setFormatter('data', shownData);
  adapter.setFormatter('returnValue', shownData);
  return adapter;
}

/** A query as Bull Board takes it, which sets no limit of its own. */
function bounded(query: Record<string, unknown>): Record<string, unknown> {
  const asked = Number(query.jobsPerPage);
  return asked > MOST_JOBS ? { ...query, jobsPerPage: String(MOST_JOBS) } : query;
}
