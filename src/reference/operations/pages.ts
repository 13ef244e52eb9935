import { z } from 'zod';
import { type Answer, type Operation, taggedAnswers } from '../operation.js';

const html: Answer = {
  description: 'A document of HTML.',
  schema: z.string(),
  contentType: 'text/html',
  headers: { ETag: 'Stands for the document.' },
};
const documents: Operation['answers'] = {
  200: html,
  304: { description: 'Nothing has changed since the document with this tag.' },
};
const page = (path: string, id: string, summary: string, more: Partial<Operation> = {}): Operation => ({
  method: 'get',
  path,
  id,
  tag: 'Pages',
  summary,
  key: 'none',
  answers: documents,
  errors: ['unavailable'],
  ...more,
});

/** What the script of the page makes of the address; the server answers each with the same document. */
const viewQuery = z.object({
  tenant: z.string().optional().describe('The tenant that is shown.'),
  span: z.enum(['6h', '24h', '3d', '7d', '30d']).optional().describe('Up to now.'),
  from: z.string().optional().describe('In place of `span`, with `to`.'),
  to: z.string().optional(),
  measure: z.enum(['completenessPct', 'minVoltage']).optional(),
});
const idInPath = z.object({ id: z.string() });

export const pages: Operation[] = [
  page('/', 'showOverview', 'The dashboard: overview', {
    query: viewQuery,
    given: { tenant: 'DEMO_TENANT', span: '24h' },
  }),
  page('/feeders/{id}', 'showFeeder', 'The dashboard: a feeder', {
    parameters: idInPath,
    query: viewQuery,
    given: { id: 'FEEDER_7', tenant: 'DEMO_TENANT' },
  }),
  page('/meters/{id}', 'showMeter', 'The dashboard: a meter', {
    parameters: idInPath,
    query: viewQuery,
    given: { id: 'DEMO_TENANT-MTR-00007', tenant: 'DEMO_TENANT' },
  }),
  page('/events', 'showEvents', 'The dashboard: events', {
    query: viewQuery,
    given: { tenant: 'DEMO_TENANT' },
  }),
  page('/automatic', 'showAutomatic', 'The dashboard: automatic mode', {
    query: viewQuery,
    given: { tenant: 'DEMO_TENANT' },
  }),
  page('/docs', 'showReference', 'This reference, to be read'),
  page('/assets/{name}', 'getAsset', 'A script, style sheet or picture of the pages', {
    parameters: z.object({ name: z.string() }),
    given: { name: 'icon.svg' },
    answers: {
      200: {
        description: 'The file. One with a hash in its name never changes.',
        schema: z.string(),
        contentType: '*/*',
        headers: { ETag: 'Stands for the file.' },
      },
      304: { description: 'The file with this tag has not changed.' },
    },
    errors: ['not_found', 'unavailable'],
  }),
  {
    method: 'get',
    path: '/openapi.json',
    id: 'getReference',
    tag: 'Pages',
    summary: 'This reference, OpenAPI 3.1',
    key: 'none',
    answers: taggedAnswers('The document.', z.looseObject({ openapi: z.literal('3.1.0') }), {
      openapi: '3.1.0',
    }),
    errors: ['unavailable'],
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'Pages',
    summary: 'What Prometheus scrapes',
    description: 'Figures of this process and of the deployment; docs/operations.md has a table of them.',
    key: 'scrape',
    answers: {
      200: {
        description: "Prometheus's text form, version 0.0.4.",
        schema: z.string(),
        contentType: 'text/plain',
      },
    },
    errors: [],
  },
];
