/**
 * The rooms of the house and the doors between them. A room is a folder of `src/`: one capability with its route,
 * logic and SQL. Rooms stand on floors: a room imports rooms of lower floors only, and of those only the doors.
 * `config/rooms.cjs` is the plan; each rule below says what it forbids and why.
 */
const { rooms, pureFiles, pureLibraries, entries } = require('./rooms.cjs');

const roomNames = Object.keys(rooms);
const inRoom = (name) => `^src/${name}/`;
const anyOf = (paths) => `^src/(${paths.join('|')})\\.ts$`;

const doorRules = roomNames
  .filter((name) => rooms[name].doors !== 'all')
  .map((name) => ({
    name: `door-of-${name}`,
    comment: `Other rooms use ${name} by its doors only: ${rooms[name].doors.join(', ') || 'none, nobody imports it'}. What is behind them may change freely.`,
    severity: 'error',
    from: { path: '^src/', pathNot: inRoom(name) },
    to: { path: inRoom(name), pathNot: anyOf(rooms[name].doors.map((door) => `${name}/${door}`)) },
  }));

const floorRules = roomNames.map((name) => {
  const below = roomNames.filter((other) => rooms[other].floor < rooms[name].floor);
  return {
    name: `floor-of-${name}`,
    comment: `${name} is on floor ${rooms[name].floor}: it imports only itself and rooms of lower floors, so that the house reads in one direction.`,
    severity: 'error',
    from: { path: inRoom(name) },
    to: { path: '^src/', pathNot: [inRoom(name), ...below.map(inRoom)] },
  };
});

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
    ...doorRules,
    ...floorRules,
    {
      name: 'every-file-in-a-room',
      comment: 'A new folder of src/ is a new room: give it a floor and doors in config/rooms.cjs.',
      severity: 'error',
      from: { path: '^src/', pathNot: [...roomNames.map(inRoom), anyOf(entries)] },
      to: {},
    },
    {
      name: 'pure-files-import-only-pure-files',
      comment: 'Pure files decide; they get now and seed as arguments and know no I/O of ours.',
      severity: 'error',
      from: { path: pureFiles },
      to: { path: '^src/', pathNot: pureFiles, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-files-use-only-pure-libraries',
      comment:
        'zod, csv-parse, saxes and hyparquet parse, hyparquet-writer encodes, seedrandom hashes, lru-cache keeps; anything else from npm or node would be I/O, a clock or an environment. identifiers.ts quotes names by pg.',
      severity: 'error',
      from: { path: pureFiles, pathNot: '^src/schema/identifiers\\.ts$' },
      to: {
        dependencyTypes: ['npm', 'core'],
        dependencyTypesNot: ['type-only'],
        pathNot: `node_modules/(${pureLibraries.join('|')})/`,
      },
    },
    {
      name: 'only-config-reads-the-environment',
      comment: 'dotenv is loaded in one place, so that one schema names every variable.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/process/config\\.ts$' },
      to: { path: 'node_modules/dotenv/' },
    },
    {
      name: 'no-orphans',
      comment: 'A module nobody imports is dead, unless it is an entry point.',
      severity: 'error',
      from: { orphan: true, pathNot: anyOf(entries) },
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
