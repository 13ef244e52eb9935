import { type CsvMapping, csvMapping } from '../intervalFiles/csv/mapping.js';
import { proposeMapping } from '../intervalFiles/csv/propose.js';
import { detectFormat, type FileFormat } from '../intervalFiles/detectFormat.js';
import type { FileText } from '../intervalFiles/intervalFiles.js';
import { type Line, linesOf } from '../intervalFiles/lines.js';
import type { FileMeaning } from '../intervalFiles/readFile.js';
import { proposalAsYaml } from './mappingText.js';
import type { InnerFile } from './packedFile.js';

/** What is known of a file beside its text. */
export interface Given {
  /** The fields of a CSV's mapping that are known. */
  given: Partial<CsvMapping>;
  /** Whose days are counted by, and whose clock a CMEP file is read by; UTC where nothing else is known. */
  zone: string | undefined;
}

/** How a file is to be read; or what it does not say, each as a question; or why it is not read at all. */
export type FoundMeaning =
  | { format: FileFormat; mapping?: string; meaning: FileMeaning; days: string }
  | { format: FileFormat; mapping?: string; open: string[] }
  | { refusal: string };

/** Whose days are counted by where no zone is named: NEM12 keeps Australia's eastern time without summer time. */
const CLOCK_OF = { nem12: '+10:00', espi: 'UTC', cmep: 'UTC' };

/** Characters and lines from which the format and a mapping are found. */
const HEAD_CHARACTERS = 64_000;
const HEAD_LINES = 2_000;

/**
 * Finds the format by content, and what the text means.
 *
 * @throws UnreadableFileError where the file cannot be unpacked or is no text.
 */
export async function findMeaning(file: InnerFile, { given, zone }: Given): Promise<FoundMeaning> {
  if (file.parquet !== undefined)
    return {
      format: 'parquet',
      meaning: { format: 'parquet', feederColumn: given.feederColumn },
      days: zone ?? 'UTC',
    };
  const detected = detectFormat(await headOf(file.open()));
  if ('refusal' in detected) return { refusal: detected.refusal };
  const { format } = detected;
  if (format === 'cmep' && zone === undefined)
    return {
      format,
      open: ['Which zone do its stamps have? Say it with --zone, such as America/Los_Angeles or UTC.'],
    };
  if (format === 'parquet') return { refusal: 'it is Parquet, and its first bytes are not' };
  if (format !== 'csv') {
    const meaning: FileMeaning = format === 'cmep' ? { format, zone: zone ?? 'UTC' } : { format };
    return { format, meaning, days: zone ?? CLOCK_OF[format] };
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
  return { format, mapping, meaning: { format, mapping: whole.data }, days };
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
