import { count, kwh, percent } from '../core/format.js';
import type { IntervalSummary } from '../data/types.js';
import { Interval } from './Time.js';

/** A figure with its name. */
export function Figure({
  name,
  value,
  note,
  isBad,
}: {
  name: string;
  value: string;
  note?: string;
  isBad?: boolean;
}) {
  return (
    <div class={`figure ${isBad ? 'bad' : ''}`}>
      <dt>{name}</dt>
      <dd>
        {value}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

/** What stands beside the number of meters that reported: of how many, and which share of their reads is estimated. */
export function reportingNote({
  expectedMeters,
  reportingPct,
  estimatedPct,
}: Pick<IntervalSummary, 'expectedMeters' | 'reportingPct' | 'estimatedPct'>): string {
  const estimated = estimatedPct ? ` · ${percent(estimatedPct)} estimated` : '';
  return `of ${count(expectedMeters)} · ${percent(reportingPct)}${estimated}`;
}

/** What customers fed in; nothing where nobody has a meter for it. */
export function FedIn({ receivedKwh }: Pick<IntervalSummary, 'receivedKwh'>) {
  return receivedKwh === null ? null : <Figure name="Fed in" value={kwh(receivedKwh)} note="by customers" />;
}

/** One interval of a tenant in figures, and how far it is while it is being written. */
export function IntervalCard({ title, summary }: { title: string; summary: IntervalSummary }) {
  const { intervalStart, intervalEnd, complete, expectedMeters, reportingMeters, reportingPct, lossPct } =
    summary;
  const share = expectedMeters === 0 ? 0 : reportingMeters / expectedMeters;
  return (
    <section class="panel card" aria-label={title}>
      <header class="panel-head">
        <h2>{title}</h2>
        <p class="when">
          <Interval start={intervalStart} end={intervalEnd} />
        </p>
      </header>
      {!complete && (
        <progress value={share} max={1} aria-label="Meters of this interval that have been written">
          {percent(reportingPct)}
        </progress>
      )}
      <dl class="figures">
        <Figure
          name="Reporting"
          value={count(reportingMeters)}
          note={reportingNote(summary)}
          isBad={complete && reportingPct !== null && reportingPct < 98}
        />
        <Figure name="Loss" value={percent(lossPct)} isBad={lossPct !== null && lossPct > 15} />
        <Figure name="Low voltage" value={count(summary.lowVoltageMeters)} note="meters below 114 V" />
        <FedIn receivedKwh={summary.receivedKwh} />
      </dl>
    </section>
  );
}
