import { type CsvMapping, csvMapping } from '../intervalFiles/csv/mapping.js';
import { proposeMapping } from '../intervalFiles/csv/propose.js';
import { detectFormat, type FileFormat } from '../intervalFiles/detectFormat.js';
import { type FileText, UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { type Line, linesOf } from '../intervalFiles/lines.js';
import { type FileMeaning, readIntervalFile } from '../intervalFiles/readFile.js';
import { LocalZone } from '../intervalFiles/time/localZone.js';
import { proposalAsYaml } from './mappingText.js';
import type { InnerFile } from './packedFile.js';
import { ImportPlan, type PlanReport } from './plan.js';

/** What a file was found to hold, or why that cannot be said. */
export interface Inspection {
  name: string;
  format?: FileFormat;
  /** Of CSV: what its text means, as YAML, with what each field rests on and what is open. */
  mapping?: string;
  /** What the file does not say, each as a question; then nothing is counted. */
  open?: string[];
  /** Why the file is not read as a whole. */
  refusal?: string;
  report?: PlanReport;
}

export interface InspectOptions {
  /** The fields of a CSV's mapping that are known. */
  given: Partial<CsvMapping>;
  /** Whose days are counted by, and whose clock a CMEP file is read by; UTC where nothing else is known. */
  zone: string | undefined;
  now: Date;
}

/** Whose days are counted by where no zone is named: NEM12 keeps Australia's eastern time without summer time. */
const CLOCK_OF = { nem12: '+10:00', espi: 'UTC', cmep: 'UTC' };

/** Characters and lines from which the format and a mapping are found. */
const HEAD_CHARACTERS = 64_000;
const HEAD_LINES = 2_000;
/** Rows are refused one by one without end: the whole is looked at, and nothing is written. */
const WITHOUT_LIMIT = Number.POSITIVE_INFINITY;

/** Reads a file once, or its archive's entry, and says what it holds. Nothing is written. */
export async function inspectFile(file: InnerFile, options: InspectOptions): Promise<Inspection> {
  const { name } = file;
  try {
    const detected = detectFormat(await headOf(file.open()));
    if ('refusal' in detected) return { name, refusal: detected.refusal };
    return { name, ...(await inspectAs(detected.format, file, options)) };
  } catch (error) {
    if (error instanceof UnreadableFileError) return { name, refusal: error.message };
    throw error;
  }
}

async function inspectAs(
  format: FileFormat,
  file: InnerFile,
  { given, zone, now }: InspectOptions,
): Promise<Omit<Inspection, 'name'>> {
  if (format === 'cmep' && zone === undefined)
    return {
      format,
      open: ['Which zone do its stamps have? Say it with --zone, such as America/Los_Angeles or UTC.'],
    };
  if (format !== 'csv') {
    const meaning: FileMeaning = format === 'cmep' ? { format, zone: zone ?? 'UTC' } : { format };
    return { format, report: await reportOf(file, meaning, zone ?? CLOCK_OF[format], now) };
  }
  const proposal = proposeMapping(await firstLines(file.open()), given);
  const mapping = proposalAsYaml(proposal);
  const open = proposal.open.map(({ text }) => text);
  if (open.length > 0) return { format, mapping, open };
  const whole = csvMapping.safeParse(proposal.mapping);
  if (!whole.success) {
    const [issue] = whole.error.issues;
    return { format, mapping, open: [`${issue?.path.join('.')}: ${issue?.message}`] };
  }
  const { zone: ofStamps } = whole.data;
  const days = zone ?? (ofStamps === 'stamps' ? 'UTC' : ofStamps);
  return { format, mapping, report: await reportOf(file, { format, mapping: whole.data }, days, now) };
}

async function reportOf(file: InnerFile, meaning: FileMeaning, zone: string, now: Date): Promise<PlanReport> {
  // Whose meters they are is a matter of a tenant's registry: here all are counted.
  const feederOf = () => 'any';
  const plan = new ImportPlan({ feederOf, zone: new LocalZone(zone), mostRefusals: WITHOUT_LIMIT, now });
  for await (const batch of readIntervalFile(file.open, meaning)) plan.take(batch);
  return plan.report();
}

async function headOf(text: FileText): Promise<string> {
  let head = '';
  for await (const piece of text) {
    head += piece;
    if (head.length >= HEAD_CHARACTERS) break;
  }
  return head;
}

async function firstLines(text: FileText): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const some of linesOf(text)) {
    lines.push(...some);
    if (lines.length >= HEAD_LINES) break;
  }
  return lines.slice(0, HEAD_LINES);
}
