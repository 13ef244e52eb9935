import { availableParallelism } from 'node:os';
import {
  DATASET_FORMATS,
  type DatasetFormat,
  type DatasetManifest,
  makeDataset,
} from '../datasets/dataset.js';
import { runProcess } from '../process/lifecycle.js';
import type { Scenario } from '../scenarios/scenario.js';
import { asksForHelp, commandLine, json, leaveWith, wholeNumber } from './commandLine.js';
import { onInterrupt } from './onInterrupt.js';
import { openProgress } from './progressBar.js';
import { fromCaller, scenarioOf } from './scenarioFile.js';

const MAX_THREADS = 64;

const USAGE = `npm run dataset -- FILE --out DIR [--format parquet|csv] [--threads N] [--resume] [--json]

Makes the labelled data set of a scenario (docs/datasets.md), without a database and a queue. The same file gives the same bytes, with
any number of threads. Cut off, it is gone on with by --resume.`;

/** `npm run dataset`: a scenario as files of labelled reads. */
await runProcess(async () => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) return leaveWith(`${USAGE}\n`);
  const { path, out, format, threads, resumes, asJson } = options(args);
  const scenario = await scenarioOf(path);
  const display = asJson ? undefined : openProgress(process.stdout);
  onInterrupt(() => {
    display?.close();
    process.stderr.write(`Interrupted: ${out} is not whole yet; go on with the same command and --resume.\n`);
  });
  const onProgress = (made: number, of: number): void =>
    display?.show((100 * made) / of, `${made} of ${of} parts`);
  const folder = fromCaller(out);
  const manifest = await makeDataset(scenario, {
    ...{ folder, format, threads, resumes },
    onProgress,
  }).finally(() => display?.close());
  return leaveWith(asJson ? json({ folder, ...summary(manifest) }) : report(scenario, out, manifest));
});

function summary({ counts, sums, files, sha256 }: DatasetManifest) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { counts, sums, files: files.length, bytes, sha256 };
}

function report({ file }: Scenario, out: string, manifest: DatasetManifest): string {
  const { counts, sums, files, bytes, sha256 } = summary(manifest);
  const count = (value: number): string => value.toLocaleString('en-US');
  return [
    `${file.scenario} stands in ${out}: ${count(counts.reads)} reads, ${count(counts.labels)} labels, ${count(files)} files, ${count(bytes)} bytes.`,
    `  registered ${sums.kwh} kWh, delivered ${sums.deliveredKwh} kWh, stolen ${sums.stolenKwh} kWh`,
    `  sha256 ${sha256}`,
    '',
  ].join('\n');
}

function options(args: string[]) {
  const { parse, wrong } = commandLine(USAGE);
  const { values, positionals } = parse({
    args,
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      format: { type: 'string', default: 'parquet' },
      threads: { type: 'string' },
      resume: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const [path, more] = positionals;
  if (path === undefined)
    return wrong('Name the scenario: npm run dataset -- scenarios/storm-night.yaml --out DIR');
  if (more !== undefined) return wrong(`One scenario at a time: ${more} is one too many.`);
  if (!values.out) return wrong('--out must name the folder that the data set is written to.');
  const format = DATASET_FORMATS.find((name) => name === values.format) as DatasetFormat | undefined;
  if (format === undefined) return wrong(`--format must be ${DATASET_FORMATS.join(' or ')}.`);
  const threads = values.threads === undefined ? availableParallelism() : wholeNumber(values.threads);
  if (!(threads >= 1 && threads <= MAX_THREADS))
    return wrong(`--threads must be a whole number from 1 to ${MAX_THREADS}.`);
  const { out, resume, json: asJson } = values;
  return { path, out, format, threads, resumes: resume ?? false, asJson: asJson ?? false };
}
