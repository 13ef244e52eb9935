import type { z } from 'zod';
import type { mappingAnswer, mappingDeleted, mappingsAnswer } from '../../contracts/mappingAnswer.js';

const name = 'utility-a';
const tenantId = 'DEMO_TENANT';
export const MAPPING_FIELDS = { zone: 'America/New_York', stamp: 'end' as const };
const SAVED = { name, yaml: 'zone: America/New_York\nstamp: end\n', savedAt: '2026-01-31T10:31:02.006Z' };

export const MAPPING: z.input<typeof mappingAnswer> = {
  ok: true,
  tenantId,
  ...SAVED,
  mapping: MAPPING_FIELDS,
};
export const MAPPINGS: z.input<typeof mappingsAnswer> = { ok: true, tenantId, mappings: [SAVED] };
export const DELETED_MAPPING: z.input<typeof mappingDeleted> = { ok: true, tenantId, name };
