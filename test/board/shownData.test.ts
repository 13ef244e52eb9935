import { expect, it } from 'vitest';
import { shownAnswer, shownData } from '../../src/board/shownData.js';

it('shows the fields of a job that are known, and of others only the names', () => {
  expect(shownData({ publishId: 'p', batch: 3, apiKey: 'hunter2' })).toEqual({
    publishId: 'p',
    batch: 3,
    apiKey: '…',
  });
  expect(shownData('hunter2')).toBe('…');
});

it.each([
  'connect to postgres://ami:hunter2@db:5432/ami failed',
  'redis://:hunter2@cache:6379 does not answer',
  'redis://:at@hunter2@cache does not answer',
  'host=db password=hunter2 dbname=ami',
  '{"password":"hunter2"}',
  'Authorization: Bearer hunter2',
])('leaves the password out of an error: %s', (failedReason) => {
  const shown = shownAnswer({ job: { failedReason, stacktrace: [`Error: ${failedReason}\n    at x.js:1`] } });
  expect(shown).not.toContain('hunter2');
  expect(shown).toContain('…');
});

it('changes nothing in an error that has none', () => {
  const body = {
    failedReason: 'The tenant T has no interval at 2026-01-01T00:00:00Z: see http://localhost:5000/docs',
  };
  expect(JSON.parse(shownAnswer(body))).toEqual(body);
});

it("shows a scheduler's template as a job's data", () => {
  const shown = shownAnswer({
    schedulers: [{ key: 's', template: { data: { tenantId: 'T', other: 'hunter2' } } }],
  });
  expect(JSON.parse(shown).schedulers[0].template.data).toEqual({ tenantId: 'T', other: '…' });
});
