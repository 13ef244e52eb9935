import { expect, it } from 'vitest';
import { type Finding, mergedFindings } from '../../src/vee/mergedFindings.js';

const HOUR = 3_600_000;
const finding = (from: number, to: number, more: Partial<Finding> = {}): Finding => ({
  ...{ meterId: 'M', rule: 'missing', value: to - from, limit: 0, severity: 'flag', runId: 1 },
  ...more,
  from: from * HOUR,
  to: to * HOUR,
});
const spansOf = (findings: Finding[]) =>
  findings.map(({ from, to, value }) => [from / HOUR, to / HOUR, value]);
const part = { from: 10 * HOUR, to: 12 * HOUR };

it('what goes on is one finding, with its length as its value', () => {
  const merged = mergedFindings([finding(8, 10)], [finding(10, 12, { runId: 2 })], part);
  expect(spansOf(merged)).toEqual([[8, 12, 4]]);
  expect(merged[0]?.runId).toBe(2);
});

it('a part that is validated again and is well now is cut out', () => {
  expect(spansOf(mergedFindings([finding(8, 14)], [], part))).toEqual([
    [8, 10, 2],
    [12, 14, 2],
  ]);
  expect(spansOf(mergedFindings([finding(10, 12)], [], part))).toEqual([]);
});

it('the same found again is the same', () => {
  expect(spansOf(mergedFindings([finding(8, 14)], [finding(10, 12)], part))).toEqual([[8, 14, 6]]);
  const zeros = finding(2, 12, { rule: 'zero-run' });
  expect(spansOf(mergedFindings([finding(2, 11, { rule: 'zero-run' })], [zeros], part))).toEqual([
    [2, 12, 10],
  ]);
});

it('of single reads each is one, and those of the part are replaced', () => {
  const spike = (from: number, value: number) => finding(from, from + 1, { rule: 'spike', value });
  expect(spansOf(mergedFindings([spike(9, 3), spike(10, 4), spike(11, 5)], [spike(10, 6)], part))).toEqual([
    [9, 10, 3],
    [10, 11, 6],
  ]);
});

it('findings of other rules and meters stay apart', () => {
  const others = [finding(8, 10, { meterId: 'N' }), finding(8, 10, { rule: 'zero-run' })];
  expect(mergedFindings(others, [finding(10, 12)], part)).toHaveLength(3);
});
