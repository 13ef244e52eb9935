import { type FileCounts, NOT_CARRIED, REASONS_LEFT } from '../intervalFiles/outgoing.js';

const count = (value: number): string => value.toLocaleString('en-US');

/** What was written, and all that was not. */
export function exportReport(title: string, files: readonly FileCounts[]): string {
  const reads = files.reduce((sum, file) => sum + file.reads, 0);
  const left = summed(files.map((file) => file.left));
  const notCarried = summed(files.map((file) => file.notCarried));
  return [
    `${title}: ${count(reads)} ${reads === 1 ? 'value' : 'values'}.`,
    ...told('Left out, since the file cannot have them', left, REASONS_LEFT),
    ...told('Not in the file, since the format has no place for them', notCarried, NOT_CARRIED),
    '',
  ].join('\n');
}

function summed(counts: readonly Partial<Record<string, number>>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const one of counts)
    for (const [what, value = 0] of Object.entries(one)) sums.set(what, (sums.get(what) ?? 0) + value);
  return sums;
}

function told(head: string, counts: Map<string, number>, words: Record<string, string>): string[] {
  if (counts.size === 0) return [];
  return ['', `${head}:`, ...[...counts].map(([what, value]) => `  ${count(value)} ${words[what] ?? what}`)];
}
