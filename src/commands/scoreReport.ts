import type { DatasetScore } from '../datasets/scoreDataset.js';
import type { Score } from '../score/score.js';

/** As many as one looks into by hand. */
const EXAMPLES = 10;

/** A score as text for a terminal, with some of what was missed or wrongly named to look into. */
export function scoreReport(tenant: string, score: Score): string {
  return [
    `Tenant ${tenant}, UTC days from ${score.from} to before ${score.to}: ${count(score.meterDays)} meter-days with reads.`,
    ...leftOut(score.leftOutDays),
    '',
    ...figures('events and ledger', score),
    ...examples('missed', score.missed),
    ...examples('wrongly named', score.wronglyNamed),
    '',
  ].join('\n');
}

/** The same of a data set, with the recall of each form of theft. */
export function datasetScoreReport(dataset: string, score: DatasetScore): string {
  const forms = Object.entries(score.byForm).map(
    ([form, { injected, right, recall }]) =>
      `  ${form.padEnd(12)} recall ${recall.toFixed(3)}, ${count(right)} of ${count(injected)} meter-days`,
  );
  return [
    `Data set ${dataset}, ${score.from} to before ${score.to}: ${count(score.meterDays)} meter-days with reads.`,
    '',
    ...figures('labels', score),
    ...(forms.length > 0 ? ['', ...forms] : []),
    ...examples('missed', score.missed),
    ...examples('wrongly named', score.wronglyNamed),
    '',
  ].join('\n');
}

const count = (value: number): string => value.toLocaleString('en-US');
const ratio = (value: number | null): string => value?.toFixed(3) ?? '– (there is nothing to divide by)';

type Figures = Pick<Score, 'injected' | 'named' | 'right' | 'meterDays' | 'precision' | 'recall'>;

function figures(
  source: string,
  { injected, named, right, meterDays, precision, recall }: Figures,
): string[] {
  const share = ((100 * named) / meterDays).toFixed(2);
  return [
    `  ${`stolen from (${source})`.padEnd(31)}  ${count(injected)} meter-days`,
    `  named suspicious (reads alone)   ${count(named)} meter-days, ${share} % of all`,
    `  both                             ${count(right)} meter-days`,
    '',
    `  precision  ${ratio(precision)}`,
    `  recall     ${ratio(recall)}`,
  ];
}

function examples(what: string, keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  const more = keys.length > EXAMPLES ? ` and ${keys.length - EXAMPLES} more` : '';
  return ['', `  ${what}: ${keys.slice(0, EXAMPLES).join(', ')}${more}`];
}

function leftOut(days: number): string[] {
  if (days === 0) return [];
  const which = days === 1 ? 'One other day is' : `${days} other days are`;
  return [
    `${which} left out: the ledger that tells how reads were made then is deleted (LEDGER_RETENTION_DAYS).`,
  ];
}
