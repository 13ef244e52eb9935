import type { Score } from '../score/score.js';

/** As many as one looks into by hand. */
const EXAMPLES = 10;

/** A score as text for a terminal, with some of what was missed or wrongly named to look into. */
export function scoreReport(tenant: string, score: Score): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const share = ((100 * score.named) / score.meterDays).toFixed(2);
  const ratio = (value: number | null): string => value?.toFixed(3) ?? '– (there is nothing to divide by)';
  return [
    `Tenant ${tenant}, UTC days from ${score.from} to before ${score.to}: ${count(score.meterDays)} meter-days with reads.`,
    ...leftOut(score.leftOutDays),
    '',
    `  stolen from (events and ledger)  ${count(score.injected)} meter-days`,
    `  named suspicious (reads alone)   ${count(score.named)} meter-days, ${share} % of all`,
    `  both                             ${count(score.right)} meter-days`,
    '',
    `  precision  ${ratio(score.precision)}`,
    `  recall     ${ratio(score.recall)}`,
    ...examples('missed', score.missed),
    ...examples('wrongly named', score.wronglyNamed),
    '',
  ].join('\n');
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
