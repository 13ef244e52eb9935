/** Databases that each test file's own is cloned from. Test files run in other processes than what makes them. */
export const TEMPLATES = {
  /** As a first start makes it. */
  migrated: 'gridlens_template',
  /** The same as a worker has it on JUNE: with the partitions around that day, and none around today. */
  june: 'gridlens_template_june',
} as const;

/** What most tests' clocks show: a worker there would make nine partitions first, while the test waits for it. */
export const JUNE = '2026-06-01';
