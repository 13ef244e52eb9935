import { quotedRelation } from '../identifiers.js';
import type { ReadsMapping } from '../mapping.js';
import type { SqlFunction } from './lookUpReads.js';
import { keepReplaced } from './replacedReads.js';

/**
 * `ami_yield_estimates`: takes estimates of an interval away before reads of the same meters are written by a publish, and
 * keeps them in the history. Where nothing of that interval was estimated it is one look at an index.
 */
export function yieldEstimates(reads: ReadsMapping): SqlFunction {
  return {
    name: 'ami_yield_estimates',
    signature: `(of_tenant text, at_instant timestamptz, of_meters text[]) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off`,
    // A customer's table has no estimates.
    body: reads.own ? ownBody(quotedRelation(reads.table)) : '\nBEGIN\n  RETURN 0;\nEND ',
  };
}

const ownBody = (table: string): string => `
DECLARE
  gone integer;
BEGIN
  IF NOT EXISTS (SELECT FROM ami_vee_estimates WHERE tenant_id = of_tenant AND read_at = at_instant) THEN
    RETURN 0;
  END IF;
  -- No batch of an import judges meanwhile by what goes here.
  PERFORM ami_lock_imports(of_tenant);
  WITH estimate AS MATERIALIZED (
    SELECT DISTINCT read.meter_id, read.import_id
    FROM ami_vee_estimates estimate JOIN ${table} read USING (tenant_id, meter_id, read_at)
    WHERE estimate.tenant_id = of_tenant AND estimate.read_at = at_instant AND estimate.meter_id = ANY (of_meters)
      AND read.read_at = at_instant AND read.quality = 'estimated' AND read.import_id = estimate.import_id
  ), former AS (
    DELETE FROM ${table} read USING estimate
    WHERE read.tenant_id = of_tenant AND read.meter_id = estimate.meter_id AND read.read_at = at_instant
      AND read.quality = 'estimated' AND read.import_id = estimate.import_id
    RETURNING read.*
  ), history AS (
    ${keepReplaced({ replaced_at: 'clock_timestamp()', replaced_by: 'import_id', written_at: 'updated_at' }, 'former')}
  )
  SELECT count(*) INTO gone FROM former;
  RETURN gone;
END `;
