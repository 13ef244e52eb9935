import { useMemo } from 'preact/hooks';
import { get } from './api.js';
import type { Quickcheck } from './types.js';
import { type Polled, usePolled } from './usePolled.js';

/** While an interval is being written figures change from second to second. */
const WRITING_MS = 2_000;
const CALM_MS = 5_000;

export interface TenantState {
  quickcheck: Polled<Quickcheck>;
  /** Another text whenever reads or events may have changed: what else is shown is asked for again by it. */
  version: string;
}

/** The key figures of a tenant, polled; everything else on the page follows what they say has changed. */
export function useTenant(tenantId: string | null, awaitsChange: boolean): TenantState {
  const quickcheck = usePolled<Quickcheck>(
    tenantId === null ? null : `quickcheck of ${tenantId}`,
    (signal) => get('/kpi/quickcheck', { tenantId }, signal),
    awaitsChange ? WRITING_MS : CALM_MS,
  );
  const { data } = quickcheck;
  const version = useMemo(
    () =>
      data === null
        ? ''
        : JSON.stringify([
            data.latest,
            data.latestFeeders,
            data.activeEvents,
            data.suspiciousMeters,
            data.fieldOps,
          ]),
    [data],
  );
  return { quickcheck, version };
}
