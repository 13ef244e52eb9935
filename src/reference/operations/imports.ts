import { tenantQuery } from '../../contracts/fields.js';
import { importProgress, importsAnswer } from '../../contracts/importAnswer.js';
import { importParameters } from '../../contracts/importRequest.js';
import { IMPORT, IMPORT_ID, IMPORTS } from '../examples/imports.js';
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
];
