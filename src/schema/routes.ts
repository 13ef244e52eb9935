import type { RequestHandler, Router } from 'express';
import { answerInTime } from '../http/answerInTime.js';
import { resource } from '../http/resource.js';
import type { SchemaService } from './schemaService.js';

/** `GET /schema`: which of the database's tables and columns carry what. */
export function schemaRoutes(router: Router, schema: SchemaService, readable: RequestHandler): void {
  const mapping = answerInTime(async (_request, response) => {
    response.json({ ok: true, ...(await schema.mapping()) });
  });
  router.use('/schema', readable);
  resource(router, '/schema', { get: [mapping] });
}
