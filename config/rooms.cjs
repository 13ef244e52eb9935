/**
 * The plan of the house, from the ground floor up. `floor`: a room imports rooms of lower floors only. `doors`: the
 * files that other rooms may import, or 'all'. A new room is one line here.
 */
const rooms = {
  contracts: { floor: 1, doors: 'all' },
  db: { floor: 2, doors: 'all' },
  emulator: {
    floor: 2,
    doors: [
      'reads',
      'chance/random',
      'events/applyEvents',
      'events/eventSelection',
      'events/feederEvent',
      'fleet/registryMeters',
      'fleet/syntheticFleet',
      'grid/qualityFlags',
    ],
  },
  intervalFiles: {
    floor: 2,
    doors: [
      'intervalFiles',
      'detectFormat',
      'readFile',
      'csv/mapping',
      'csv/propose',
      'quality',
      'decimal',
      'lines',
      'time/clockTexts',
      'time/localZone',
    ],
  },
  timing: { floor: 3, doors: 'all' },
  reads: { floor: 3, doors: ['meterReads', 'partitions', 'partitionUpkeep', 'tenantTotals'] },
  ledger: {
    floor: 3,
    doors: ['publishLedger', 'batchPayload', 'batchRange', 'intervalLedger', 'publishedIntervals', 'pruning'],
  },
  http: { floor: 4, doors: 'all' },
  queues: {
    floor: 4,
    doors: [
      'amiQueue',
      'tickQueue',
      'openQueues',
      'postgresBackend',
      'queueConnections',
      'queueView',
      'telemetry',
      'redis/redisFacts',
      'redis/requireRedis',
      'redis/redisUrl',
    ],
  },
  pacing: { floor: 4, doors: ['pace', 'pacingRow', 'startPacer', 'batchSlots'] },
  schema: {
    floor: 5,
    doors: [
      'mapping',
      'identifiers',
      'columnFit',
      'prepareSchema',
      'prepareErrors',
      'ownPrivileges',
      'schemaPlan',
      'schemaService',
      'routes',
      'detect/kpiViewColumns',
      'functions/canonicalRegistry',
    ],
  },
  page: { floor: 5, doors: ['routes'] },
  reference: { floor: 5, doors: [] },
  board: { floor: 5, doors: ['routes'] },
  registry: {
    floor: 6,
    doors: [
      'currentFleet',
      'survey',
      'snapshots',
      'file/exportFleet',
      'file/loadFleet',
      'file/synthesizeFleet',
      'file/writeFleets',
    ],
  },
  publishing: {
    floor: 7,
    doors: ['publish', 'publishPlanner', 'plan', 'admission', 'missingParts', 'lostBatches', 'routes'],
  },
  automatic: { floor: 8, doors: ['automatic', 'autoMode', 'autoConfig', 'tenantClock', 'routes'] },
  backfill: { floor: 9, doors: ['backfill', 'supplier', 'progressAnswer', 'routes'] },
  events: { floor: 9, doors: ['events', 'eventTable', 'routes'] },
  score: { floor: 10, doors: ['score'] },
  writing: { floor: 10, doors: ['amiWorker', 'batchRunner', 'adaptiveConcurrency'] },
  kpi: { floor: 10, doors: ['quickcheck', 'series', 'routes'] },
  status: { floor: 10, doors: ['status', 'heartbeat', 'workers', 'clockWatch', 'routes', 'healthRoutes'] },
  metrics: { floor: 10, doors: ['metrics', 'metricsPage', 'requests', 'batches', 'listener', 'routes'] },
  upkeep: { floor: 10, doors: ['upkeep'] },
  process: {
    floor: 11,
    doors: [
      'apiProcess',
      'workerProcess',
      'context',
      'config',
      'lifecycle',
      'log',
      'nodeNavigator',
      'connectionBudget',
      'postgresPlaces',
      'supervised',
    ],
  },
  local: {
    floor: 12,
    doors: [
      'apiKey',
      'banner',
      'keptFile',
      'terminal',
      'stack/npmParent',
      'stack/stages',
      'stack/startLock',
      'stack/startupSentence',
      'stack/supervisor',
    ],
  },
  demo: { floor: 13, doors: ['demo', 'demoApi', 'demoPlan', 'takeAway'] },
  doctor: { floor: 13, doors: ['doctor', 'report'] },
  commands: { floor: 14, doors: [] },
};

/** Decisions without I/O, clock or environment, wherever they stand: `now` and `seed` are their arguments. */
const pureFiles = [
  '^src/contracts/',
  '^src/emulator/',
  '^src/intervalFiles/',
  '^src/schema/(columnFit|identifiers|mapping)\\.ts$',
  '^src/schema/detect/(catalog|columnSearch|columns|detectReads|detectRegistry|energyColumn|filledColumns|knownNames|kpiViewColumns|ownMapping|privileges|refusals|repairs|timeColumn|uniqueKey)\\.ts$',
  '^src/schema/functions/(canonicalReads|canonicalRegistry|foldTriggers|lookUpReads|writeBatch)\\.ts$',
  '^src/ledger/(batchPayload|batchRange)\\.ts$',
  '^src/pacing/pace\\.ts$',
  '^src/queues/redis/(redisErrors|redisUrl|serverFit)\\.ts$',
  '^src/timing/doublingPause\\.ts$',
  '^src/publishing/(admissionDecision|plan|registryPlan|uncovered)\\.ts$',
  '^src/automatic/(replayClock|serviceOrder|window)\\.ts$',
  '^src/backfill/turns\\.ts$',
  '^src/writing/adaptiveConcurrency\\.ts$',
];
const pureLibraries = ['zod', 'seedrandom', '@types/seedrandom', 'lru-cache', 'csv-parse', 'saxes'];

/** What starts a process: nobody imports it. */
const entries = [
  'index',
  'worker',
  'start',
  'commands/migrate',
  'commands/score',
  'commands/fleet',
  'commands/backfill',
  'commands/demo',
  'commands/doctor',
];

module.exports = { rooms, pureFiles, pureLibraries, entries };
