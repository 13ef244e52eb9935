import { tenantQuery } from '../../contracts/fields.js';
import { mappingParameters } from '../../contracts/importRequest.js';
import { mappingAnswer, mappingDeleted, mappingsAnswer } from '../../contracts/mappingAnswer.js';
import { csvMapping } from '../../intervalFiles/csv/mapping.js';
import { DELETED_MAPPING, MAPPING, MAPPING_FIELDS, MAPPINGS } from '../examples/mappings.js';
import { type Operation, taggedAnswers } from '../operation.js';

const given = { tenantId: 'DEMO_TENANT', name: 'utility-a' };
const ofOne = {
  path: '/api/ami/import-mappings/{name}',
  tag: 'Imports' as const,
  parameters: mappingParameters,
  query: tenantQuery,
  given,
};

export const mappings: Operation[] = [
  {
    ...ofOne,
    method: 'get',
    id: 'getMapping',
    summary: 'What a sender’s CSV files mean',
    key: 'read',
    answers: taggedAnswers('The mapping, as YAML and as JSON.', mappingAnswer, MAPPING),
    errors: ['not_found'],
  },
  {
    ...ofOne,
    method: 'put',
    id: 'saveMapping',
    summary: 'Save what a sender’s CSV files mean',
    description:
      'In the place of the one of that name. The body is JSON, or YAML with `Content-Type: application/yaml`, such as the `mapping` that a file was answered with. Fields that it lacks are found in each file.',
    key: 'write',
    body: {
      schema: csvMapping.partial().meta({ id: 'CsvMapping' }),
      examples: { 'Clock and unit': MAPPING_FIELDS },
    },
    answers: {
      200: { description: 'It is saved.', schema: mappingAnswer, examples: { answer: MAPPING } },
    },
    errors: [],
  },
  {
    ...ofOne,
    method: 'delete',
    id: 'deleteMapping',
    summary: 'Forget a mapping',
    key: 'write',
    answers: {
      200: { description: 'It is gone.', schema: mappingDeleted, examples: { answer: DELETED_MAPPING } },
    },
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/import-mappings',
    id: 'listMappings',
    tag: 'Imports',
    summary: 'A tenant’s saved mappings',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('By name.', mappingsAnswer, MAPPINGS),
    errors: [],
  },
];
