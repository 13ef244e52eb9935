import { z } from 'zod';
import { instantText, ok, tenantName } from './answerFields.js';

/** What the routes of saved mappings answer, as it stands in the JSON. */

const saved = {
  name: z.string().describe('What a file is sent with: `mapping` of `POST /api/ami/imports`.'),
  yaml: z.string().describe('As it was saved, with its comments.'),
  savedAt: instantText.describe('The last time.'),
};

export const mappingAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    ...saved,
    mapping: z.record(z.string(), z.unknown()).describe('The same as JSON.'),
  })
  .meta({ id: 'SavedMapping' });

export const mappingsAnswer = z
  .strictObject({ ok, tenantId: tenantName, mappings: z.array(z.strictObject(saved)).max(1_000) })
  .meta({ id: 'SavedMappings' });

export const mappingDeleted = z
  .strictObject({ ok, tenantId: tenantName, name: saved.name })
  .meta({ id: 'DeletedMapping' });
