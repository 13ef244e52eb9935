import { parseDocument, stringify } from 'yaml';
import { type CsvMapping, csvMapping } from '../intervalFiles/csv/mapping.js';
import type { ProposedMapping } from '../intervalFiles/csv/propose.js';

/** A mapping's text is wrong; the message names the field and what would be right. */
export class MappingTextError extends Error {
  override name = 'MappingTextError';
}

/** Larger than any mapping. */
const MOST_CHARACTERS = 100_000;

/**
 * A mapping as YAML, to be edited: what was found with what it rests on, and what is open as a comment with its question.
 */
export function proposalAsYaml({ mapping, restsOn, open }: ProposedMapping): string {
  const lines = Object.entries(mapping).flatMap(([field, value]) => [
    ...restsOn.filter((finding) => finding.field === field).map(({ text }) => `# ${text}`),
    stringify({ [field]: value }).trimEnd(),
  ]);
  const questions = open.flatMap(({ field, text }) => [`# ${text}`, `# ${field}: `]);
  return `${[...lines, ...(questions.length > 0 ? ['', '# To be answered:', ...questions] : [])].join('\n')}\n`;
}

/**
 * The fields that a mapping's text gives; the others are proposed from the file.
 *
 * @throws MappingTextError where it is no YAML, has aliases, or a field is wrong.
 */
export function parseMappingText(text: string): Partial<CsvMapping> {
  if (text.length > MOST_CHARACTERS)
    throw new MappingTextError(`The mapping has more than ${MOST_CHARACTERS} characters.`);
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true });
  const [wrong] = document.errors;
  if (wrong) throw new MappingTextError(`The mapping is no YAML: ${wrong.message.split('\n')[0]}`);
  const found = csvMapping.partial().safeParse(plainValue(document) ?? {});
  if (found.success) return found.data as Partial<CsvMapping>;
  const [issue] = found.error.issues;
  throw new MappingTextError(
    `The mapping's ${issue?.path.join('.') || 'text'} ${issue?.message ?? 'is wrong'}.`,
  );
}

/** @throws MappingTextError for aliases: a few of them unfold to gigabytes, and no mapping needs one. */
function plainValue(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new MappingTextError(`The mapping cannot be read: ${(error as Error).message}.`);
  }
}
