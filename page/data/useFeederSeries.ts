import { type SpanChoice, spanOf } from '../core/spans.js';
import { get } from './api.js';
import type { FeederSeries } from './types.js';
import type { Polled } from './usePolled.js';
import { useVersioned } from './useVersioned.js';

/** What a feeder read in a span, in steps that follow from how long the span is. */
export function useFeederSeries(
  tenantId: string,
  feederId: string,
  span: SpanChoice,
  version: string,
): Polled<FeederSeries> {
  const { from, to } = spanOf(span, Date.now());
  return useVersioned<FeederSeries>(`feeder ${feederId} of ${tenantId} ${from} ${to}`, version, (signal) =>
    get(
      `/kpi/feeders/${encodeURIComponent(feederId)}/intervals`,
      { tenantId, from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      signal,
    ),
  );
}
