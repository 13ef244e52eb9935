import { useState } from 'preact/hooks';
import { kwh, percent, volts } from '../core/format.js';
import { get } from '../data/api.js';
import type { FeederMeter, MeterOrder, FeederMeters as Page } from '../data/types.js';
import { useVersioned } from '../data/useVersioned.js';
import { DataTable } from '../parts/DataTable.js';
import { MeterLink } from '../parts/Link.js';
import { Empty, Panel } from '../parts/Panel.js';
import { Polling } from '../parts/Polling.js';
import { Interval } from '../parts/Time.js';

const ON_A_PAGE = 50;
/** Which way a column is sorted first: names from the start, figures from what is worth a look. */
const FIRST_ORDER: Record<MeterOrder, 'asc' | 'desc'> = {
  meterId: 'asc',
  suspicious: 'desc',
  missingKwh: 'desc',
  kwh: 'desc',
  voltage: 'asc',
};

/** The meters of a feeder in its latest complete interval, sorted by the API and page by page. */
export function FeederMeters({
  tenantId,
  feederId,
  version,
}: {
  tenantId: string;
  feederId: string;
  version: string;
}) {
  const [sorted, setSorted] = useState<{ by: MeterOrder; order: 'asc' | 'desc' }>({
    by: 'suspicious',
    order: 'desc',
  });
  /** Where the pages before this one began; the last is this one's. */
  const [starts, setStarts] = useState<(string | null)[]>([null]);
  const after = starts.at(-1) ?? null;
  const page = useVersioned<Page>(
    `meters of ${feederId} of ${tenantId} ${sorted.by} ${sorted.order} ${after}`,
    version,
    (signal) =>
      get(
        `/kpi/feeders/${encodeURIComponent(feederId)}/meters`,
        { tenantId, sort: sorted.by, order: sorted.order, limit: ON_A_PAGE, after },
        signal,
      ),
  );
  const sort = (by: string): void => {
    const column = by as MeterOrder;
    const turned = sorted.order === 'asc' ? 'desc' : 'asc';
    setSorted({ by: column, order: column === sorted.by ? turned : FIRST_ORDER[column] });
    setStarts([null]);
  };
  return (
    <Polling polled={page} what={`the meters of ${feederId}`} height={300}>
      {({ meters, next, intervalStart, intervalEnd }) => (
        <Panel
          title="Meters"
          note={intervalStart && intervalEnd ? <Interval start={intervalStart} end={intervalEnd} /> : ''}
          actions={
            <>
              <button
                type="button"
                disabled={starts.length === 1}
                onClick={() => setStarts(starts.slice(0, -1))}
              >
                Previous
              </button>
              <span class="quiet">Page {starts.length}</span>
              <button type="button" disabled={!next} onClick={() => next && setStarts([...starts, next])}>
                Next
              </button>
            </>
          }
        >
          {meters.length === 0 ? (
            <Empty>No meter of this feeder is known yet.</Empty>
          ) : (
            <DataTable
              caption={`Meters of ${feederId}`}
              rows={meters}
              keyOf={({ meterId }) => meterId}
              sorted={sorted}
              onSort={sort}
              columns={[
                { title: 'Meter', sort: 'meterId', cell: ({ meterId }) => <MeterLink id={meterId} /> },
                { title: 'Registered', sort: 'kwh', isNumber: true, cell: (meter) => kwh(meter.kwh) },
                { title: 'Delivered', isNumber: true, cell: (meter) => kwh(meter.deliveredKwh) },
                { title: 'Missing', sort: 'missingKwh', isNumber: true, cell: (meter) => missing(meter) },
                { title: 'Voltage', sort: 'voltage', isNumber: true, cell: (meter) => volts(meter.voltage) },
                { title: 'State', sort: 'suspicious', cell: (meter) => <State meter={meter} /> },
              ]}
            />
          )}
        </Panel>
      )}
    </Polling>
  );
}

function missing({ kwh: registered, deliveredKwh }: FeederMeter): string {
  if (registered === null || deliveredKwh === null) return kwh(null);
  const share = deliveredKwh === 0 ? null : ((deliveredKwh - registered) / deliveredKwh) * 100;
  return `${kwh(deliveredKwh - registered)} · ${percent(share)}`;
}

function State({ meter: { reported, suspicious, lowVoltage } }: { meter: FeederMeter }) {
  if (!reported) return <span class="tag silent">silent</span>;
  return (
    <>
      {suspicious && <span class="tag theft">suspicious</span>}
      {lowVoltage && <span class="tag voltage-sag">low voltage</span>}
      {!suspicious && !lowVoltage && <span class="quiet">reported</span>}
    </>
  );
}
