import { useState } from 'preact/hooks';
import { count, percent, plural } from '../core/format.js';
import { reasonOf } from '../core/reason.js';
import { DAY, QUARTER_HOUR } from '../core/spans.js';
import { get, post } from '../data/api.js';
import { followRun } from '../data/followRun.js';
import { notice } from '../data/notices.js';
import type { ValidationRules, ValidationSummary } from '../data/types.js';
import { usePolled } from '../data/usePolled.js';
import { Choice } from './Choice.js';
import { Figure } from './Figures.js';
import { Panel } from './Panel.js';
import { Polling } from './Polling.js';

const POLL_MS = 3_000;
const MODES = ['off', 'validate', 'estimate'] as const;
type Mode = (typeof MODES)[number];
const MODE_WORDS: Record<Mode, string> = {
  off: 'is not validated',
  validate: 'is validated',
  estimate: 'is validated, gaps are estimated',
};
const GRACES = [0, 1, 4];
const graceWords = (quarterHours: number): string =>
  quarterHours === 0 ? 'not at all' : `up to ${quarterHours * 15} minutes`;

/** The last day, up to the last whole quarter hour. */
const lastDay = (): { from: string; to: string } => {
  const to = Math.floor(Date.now() / QUARTER_HOUR) * QUARTER_HOUR;
  return { from: new Date(to - DAY).toISOString(), to: new Date(to).toISOString() };
};

/** Whether reads are held to rules and gaps estimated, what stands estimated, and what has given way to late reads. */
export function Validation({ tenantId, changed }: { tenantId: string; changed: () => void }) {
  const rules = usePolled<ValidationRules>(
    `rules of ${tenantId}`,
    (signal) => get('/vee/rules', { tenantId }, signal),
    null,
  );
  const summary = usePolled<ValidationSummary>(
    `estimates of ${tenantId}`,
    (signal) => get('/vee/summary', { tenantId, ...lastDay() }, signal),
    POLL_MS,
  );
  return (
    <Panel
      title="Validation"
      note="The last 24 hours"
      actions={
        <button type="button" onClick={() => void estimate(tenantId, changed, summary.refresh)}>
          Estimate the gaps
        </button>
      }
    >
      <Polling polled={summary} what="estimates" height={60}>
        {({ estimates, rules: found, reads }) => (
          <dl class="figures">
            <Figure
              name="Estimated"
              value={count(estimates.standing)}
              note={`reads that stand · ${percent(reads.estimatedPct)} of all`}
            />
            <Figure name="Given way" value={count(estimates.gaveWay)} note="estimates that reads replaced" />
            <Figure
              name="Gaps found"
              value={count(found.find(({ rule }) => rule === 'missing')?.findings ?? 0)}
              note="by the last validation"
            />
          </dl>
        )}
      </Polling>
      <Polling polled={rules} what="the rules of validation" height={60}>
        {(data) => <RulesForm key={tenantId} tenantId={tenantId} rules={data} changed={rules.refresh} />}
      </Polling>
    </Panel>
  );
}

function RulesForm({
  tenantId,
  rules,
  changed,
}: {
  tenantId: string;
  rules: ValidationRules;
  changed: () => void;
}) {
  const [mode, setMode] = useState<Mode>(rules.isOn ? (rules.estimates ? 'estimate' : 'validate') : 'off');
  const [grace, setGrace] = useState<number>(rules.graceIntervals);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const set = { isOn: mode !== 'off', estimates: mode === 'estimate', graceIntervals: grace };
      const { warnings = [] } = await post<ValidationRules>('/vee/rules', { tenantId, ...set });
      notice('done', [`Each interval ${MODE_WORDS[mode]}.`, ...warnings].join(' '));
    } catch (error) {
      notice('failed', `Not saved: ${reasonOf(error)}`);
    }
    changed();
  };
  return (
    <form class="grid-form" onSubmit={submit}>
      <Choice
        name="Each interval"
        value={mode}
        options={MODES}
        words={(one) => MODE_WORDS[one]}
        onChoose={setMode}
      />
      <Choice
        name="Waits for late reads"
        value={grace}
        options={GRACES}
        words={graceWords}
        onChoose={setGrace}
      />
      <button type="submit">Save validation</button>
    </form>
  );
}

async function estimate(tenantId: string, changed: () => void, refresh: () => void): Promise<void> {
  const id = notice('under-way', 'The last 24 hours are being validated…');
  try {
    const estimated = await followRun({ tenantId, ...lastDay(), estimate: true });
    notice(
      'done',
      `The last 24 hours are validated: ${plural(estimated, 'gap')} estimated, being written now.`,
      id,
    );
  } catch (error) {
    notice('failed', `No estimates: ${reasonOf(error)}`, id);
  }
  refresh();
  changed();
}
