/**
 * The house's direction of imports, one way only:
 * contracts, emulator → stores, queues → services → routes, workers → context, index, worker, start.
 * A rule names who may not import what, and why.
 */
const pure = '^src/(contracts|emulator)/';
const storage = '^src/(schema|stores|queues)/|^src/(db|deadline)\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment:
        'A circle has no first module: it cannot be read top to bottom, and load order decides what works.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'pure-core-imports-only-itself',
      comment: 'Contracts and emulator decide; they get now and seed as arguments and know no I/O of ours.',
      severity: 'error',
      from: { path: pure },
      to: { path: '^src/', pathNot: pure },
    },
    {
      name: 'pure-core-uses-only-pure-libraries',
      comment:
        'zod parses and seedrandom hashes; anything else from npm or node would be I/O, a clock or an environment.',
      severity: 'error',
      from: { path: pure },
      to: { dependencyTypes: ['npm', 'core'], pathNot: 'node_modules/(zod|seedrandom|@types/seedrandom)/' },
    },
    {
      name: 'storage-knows-nothing-above-it',
      comment:
        'Stores and queues speak SQL and BullMQ; what to do with the answers is the services’ business.',
      severity: 'error',
      from: { path: storage },
      to: { path: '^src/', pathNot: [pure, storage] },
    },
    {
      name: 'services-know-nothing-above-them',
      comment: 'A service must run from a route, a worker, a test or a command alike.',
      severity: 'error',
      from: { path: '^src/services/' },
      to: { path: '^src/', pathNot: [pure, storage, '^src/services/'] },
    },
    {
      name: 'edges-do-not-reach-around-services',
      comment: 'Routes and workers parse, call and answer; SQL and queue calls have one place each.',
      severity: 'error',
      from: { path: '^src/(routes|http|workers)/' },
      to: { path: '^src/(stores|local|context|index|worker|start|app)' },
    },
    {
      name: 'only-config-reads-the-environment',
      comment: 'dotenv is loaded in one place, so that one schema names every variable.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/config\\.ts$' },
      to: { path: 'node_modules/dotenv/' },
    },
    {
      name: 'no-orphans',
      comment: 'A module nobody imports is dead, unless it is an entry point.',
      severity: 'error',
      from: { orphan: true, pathNot: '^src/(index|worker|start|migrate|score|fleet|backfill)\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
