import { tenantQuery } from '../../contracts/fields.js';
import { veeRulesAnswer, veeRunAccepted, veeRunAnswer, veeSummaryAnswer } from '../../contracts/veeAnswer.js';
import {
  veeRulesRequest,
  veeRunParameters,
  veeRunRequest,
  veeSummaryQuery,
} from '../../contracts/veeRequest.js';
import { ACCEPTED, RULES, RUN, RUN_ID, SUMMARY } from '../examples/vee.js';
import { type Operation, taggedAnswers } from '../operation.js';

export const vee: Operation[] = [
  {
    method: 'get',
    path: '/api/ami/vee/rules',
    id: 'getValidationRules',
    tag: 'Validation',
    summary: 'What a tenant wants of validation',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('Every rule with its limit and severity.', veeRulesAnswer, RULES),
    errors: [],
  },
  {
    method: 'post',
    path: '/api/ami/vee/rules',
    id: 'setValidationRules',
    tag: 'Validation',
    summary: 'Set rules, and switch validation on or off',
    description: 'What is left out stays as it is.',
    key: 'write',
    body: {
      schema: veeRulesRequest,
      examples: {
        on: { tenantId: 'DEMO_TENANT', isOn: true, timeZone: 'America/New_York' },
        'a rule': { tenantId: 'DEMO_TENANT', rules: { spike: { severity: 'fail', limit: 250 } } },
      },
    },
    answers: { 200: { description: 'All of it.', schema: veeRulesAnswer, examples: { answer: RULES } } },
    errors: [],
  },
  {
    method: 'post',
    path: '/api/ami/vee/runs',
    id: 'startValidationRun',
    tag: 'Validation',
    summary: 'Validate a span',
    description:
      'Workers do it, one run after the other. A span that is validated again has the findings of the last run.',
    key: 'write',
    body: {
      schema: veeRunRequest,
      examples: {
        day: { tenantId: 'DEMO_TENANT', from: '2026-01-30T00:00:00Z', to: '2026-01-31T00:00:00Z' },
        'with a register': {
          ...{ tenantId: 'DEMO_TENANT', from: '2026-01-30T00:00:00Z', to: '2026-01-31T00:00:00Z' },
          registers: [
            {
              meterId: 'DEMO_TENANT-MTR-00007',
              from: '2026-01-30T00:00:00Z',
              to: '2026-01-31T00:00:00Z',
              kwh: 24.5,
            },
          ],
        },
      },
    },
    answers: { 202: { description: 'Accepted.', schema: veeRunAccepted, examples: { answer: ACCEPTED } } },
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/vee/runs/{runId}',
    id: 'getValidationRun',
    tag: 'Validation',
    summary: 'How far a run has come',
    key: 'read',
    parameters: veeRunParameters,
    given: { runId: RUN_ID },
    answers: taggedAnswers('Its progress, with the first findings.', veeRunAnswer, RUN),
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/vee/summary',
    id: 'getValidationSummary',
    tag: 'Validation',
    summary: 'What was found in a span',
    key: 'read',
    query: veeSummaryQuery,
    given: { tenantId: 'DEMO_TENANT', from: '2026-01-30T00:00:00Z', to: '2026-01-31T00:00:00Z' },
    answers: taggedAnswers(
      'Findings by rule, reads by quality, and what became of estimates.',
      veeSummaryAnswer,
      SUMMARY,
    ),
    errors: [],
  },
];
