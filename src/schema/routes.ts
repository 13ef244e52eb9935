import type { RequestHandler, Router } from 'express';
import { answerInTime } from '../http/answerInTime.js';
import { resource } from '../http/resource.js';
import type { SchemaService } from './schemaService.js';

interface SchemaRoutes {
  schema: SchemaService;
  readable: RequestHandler;
}

/** `GET /schema`: which of the database's tables and columns carry what. */
export function schemaRoutes(router: Router, { schema, readable }: SchemaRoutes): void {
  const mapping = answerInTime(async (_request, response) => {
    response.json({ ok: true, ...(await schema.mapping()) });
  });
  router.use('/schema', readable);
  resource(router, '/schema', { get: [mapping] });
}
