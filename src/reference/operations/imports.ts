import { tenantQuery } from '../../contracts/fields.js';
import {
  dryRunAnswer,
  importProgress,
  importsAnswer,
  refusalsAnswer,
  uploadAnswer,
} from '../../contracts/importAnswer.js';
import { importParameters, refusalsQuery, uploadQuery } from '../../contracts/importRequest.js';
import { DRY_RUN, IMPORT, IMPORT_ID, IMPORTS, REFUSALS, TAKEN } from '../examples/imports.js';
import { type Operation, taggedAnswers } from '../operation.js';

export const imports: Operation[] = [
  {
    method: 'get',
    path: '/api/ami/imports/{importId}',
    id: 'getImport',
    tag: 'Imports',
    summary: 'How far an import has come',
    key: 'read',
    parameters: importParameters,
    given: { importId: IMPORT_ID },
    answers: taggedAnswers('Its progress, with the first refusals.', importProgress, IMPORT),
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/imports/{importId}/refusals',
    id: 'listImportRefusals',
    tag: 'Imports',
    summary: 'What an import refused',
    description:
      'Rows of the file that became no read, and reads that were left since what stands there is worth more: the first 10,000 and 2,000 of them, by line. Rows of a meter that nobody knows are one refusal with their count. While the import is being written, refusals may come to pages before.',
    key: 'read',
    parameters: importParameters,
    query: refusalsQuery,
    given: { importId: IMPORT_ID },
    answers: taggedAnswers('A page of them.', refusalsAnswer, REFUSALS),
    errors: ['not_found'],
  },
  {
    method: 'post',
    path: '/api/ami/imports/{importId}/cancel',
    id: 'cancelImport',
    tag: 'Imports',
    summary: 'End an import',
    description: 'What is not written yet is left; what is written stays. One that is over stays as it is.',
    key: 'write',
    parameters: importParameters,
    given: { importId: IMPORT_ID },
    answers: { 200: { description: 'Its progress.', schema: importProgress, examples: { answer: IMPORT } } },
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/imports',
    id: 'listImports',
    tag: 'Imports',
    summary: 'A tenant’s latest imports',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('The latest 50, the latest first.', importsAnswer, IMPORTS),
    errors: [],
  },
  {
    method: 'post',
    path: '/api/ami/imports',
    id: 'importFile',
    tag: 'Imports',
    summary: 'Take in a file of interval data',
    description:
      'CSV, Green Button XML, NEM12, CMEP, or gzip or zip of them, or Parquet that GridLens has exported, told by content. The body is the file as it is, with any `Content-Type` but JSON and forms. It may take its time, as long as it does not stop for 30 s. The answer comes when the file has arrived and says what it means: it may still be `reading`, and nothing counts before it was read whole. An archive with several files, and a dry run, are answered when all is read.',
    key: 'write',
    query: uploadQuery,
    given: {
      ...{ tenantId: 'DEMO_TENANT', fileName: 'nem12-15min.csv', register: 'true', feeder: 'FEEDER_7' },
      timeZone: '+10:00',
    },
    file: 'The file.',
    answers: {
      200: {
        description: 'Of a dry run: what would become of the file.',
        schema: dryRunAnswer,
        examples: { answer: DRY_RUN },
      },
      202: {
        description: 'It is taken in, and being read or written.',
        schema: uploadAnswer,
        examples: { answer: TAKEN },
        headers: { Location: 'Where its progress is.' },
      },
    },
    errors: [],
  },
];
