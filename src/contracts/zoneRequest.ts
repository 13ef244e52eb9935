import { z } from 'zod';
import { tenantId } from './fields.js';
import { timeZone } from './place.js';

/** Body of `POST /zone`. */
export const zoneRequest = z.strictObject({
  tenantId,
  timeZone: timeZone.describe(
    'By whose days the reads of the tenant are counted, an IANA name; UTC takes it back.',
  ),
});
