import type { FileFormat } from '../intervalFiles/detectFormat.js';
import { UnreadableFileError } from '../intervalFiles/intervalFiles.js';
import { type FileMeaning, readIntervalFile } from '../intervalFiles/readFile.js';
import { LocalZone } from '../intervalFiles/time/localZone.js';
import { findMeaning, type Given } from './fileMeaning.js';
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

export interface InspectOptions extends Given {
  now: Date;
}

/** Rows are refused one by one without end: the whole is looked at, and nothing is written. */
const WITHOUT_LIMIT = Number.POSITIVE_INFINITY;

/** Reads a file once, or its archive's entry, and says what it holds. Nothing is written. */
export async function inspectFile(file: InnerFile, { now, ...known }: InspectOptions): Promise<Inspection> {
  const { name } = file;
  try {
    const found = await findMeaning(file, known);
    if ('refusal' in found || 'open' in found) return { name, ...found };
    const { meaning, days, ...shown } = found;
    return { name, ...shown, report: await reportOf(file, meaning, days, now) };
  } catch (error) {
    if (error instanceof UnreadableFileError) return { name, refusal: error.message };
    throw error;
  }
}

async function reportOf(file: InnerFile, meaning: FileMeaning, zone: string, now: Date): Promise<PlanReport> {
  // Whose meters they are is a matter of a tenant's registry: here all are counted.
  const feederOf = () => 'any';
  const plan = new ImportPlan({ feederOf, zone: new LocalZone(zone), mostRefusals: WITHOUT_LIMIT, now });
  for await (const batch of readIntervalFile(file, meaning)) plan.take(batch);
  return plan.report();
}
