import type { RequestHandler, Router } from 'express';
import { answerInTime } from '../http/answerInTime.js';
import { holdsKey } from '../http/apiKey.js';
import { resource } from '../http/resource.js';
import type { SchemaService } from './schemaService.js';

interface SchemaRoutes {
  schema: SchemaService;
  readable: RequestHandler;
}

/**
 * `GET /schema`: which of the database's tables and columns carry what. The statements that have changed the customer's
 * tables are for holders of a key.
 */
export function schemaRoutes(router: Router, { schema, readable }: SchemaRoutes): void {
  const mapping = answerInTime(async (_request, response) => {
    const mapping = await schema.mapping();
    const changes = holdsKey(response)
      ? mapping.changes
      : mapping.changes.map(({ statement: _statement, ...change }) => change);
    response.json({ ok: true, ...mapping, changes });
  });
  router.use('/schema', readable);
  resource(router, '/schema', { get: [mapping] });
}
