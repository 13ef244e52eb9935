/** What an interval file may be. */
export const FILE_FORMATS = ['csv', 'espi', 'nem12', 'cmep', 'parquet'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

/** What a file is, or a sentence that says why it is none that can be read. */
export type Detected = { format: FileFormat } | { refusal: string };

/**
 * Finds the format by the beginning of a text, some kilobytes of it: never by a file's name.
 *
 * @param head the text's beginning.
 */
export function detectFormat(head: string): Detected {
  const text = head.replace(/^\uFEFF/, '').trimStart();
  if (text === '') return { refusal: 'it is empty' };
  if (text.startsWith('<')) return detectXml(text);
  if (/^100,"?NEM12\b/.test(text)) return { format: 'nem12' };
  if (/^100,"?NEM\d\d\b/.test(text))
    return { refusal: 'it is NEM13, which has register readings and no intervals' };
  if (/^ME[A-Z]{3}\d\d,/.test(text)) return { format: 'cmep' };
  if (/^UNA|^UNB\+/.test(text)) return { refusal: 'it is EDIFACT (MSCONS), which is not read' };
  if (text.startsWith('{') || text.startsWith('[')) return { refusal: 'it is JSON, which is not read' };
  const isTable = text
    .split(/\r?\n/, 50)
    .some((line) => [',', ';', '\t', '|'].some((delimiter) => line.split(delimiter).length >= 3));
  return isTable
    ? { format: 'csv' }
    : { refusal: 'it is none of CSV, Green Button XML (ESPI), NEM12 and CMEP by its beginning' };
}

function detectXml(text: string): Detected {
  if (/naesb\.org\/espi|<(?:\w+:)?feed\b/.test(text)) return { format: 'espi' };
  if (/<!doctype html|<html/i.test(text))
    return { refusal: 'it is a web page: the download may have asked for a login' };
  return { refusal: 'it is XML, and not Green Button (ESPI)' };
}
