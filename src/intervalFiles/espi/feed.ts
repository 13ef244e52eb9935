import { ESPI_NAMESPACE } from './espiReader.js';

/** The Atom around ESPI's resources. */

const ATOM = 'http://www.w3.org/2005/Atom';

/** No XML 1.0 document holds these, not even as a reference. */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/**
 * A name as the text of a title; undefined of one that no XML holds, or whose blanks at an end a reader takes for those
 * of the document's layout.
 */
export function titleText(name: string): string | undefined {
  return NOT_XML.test(name) || name.trim() !== name || name === '' ? undefined : escaped(name);
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;');
}

export function feedHead(id: string, title: string, updated: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="${ATOM}" xmlns:espi="${ESPI_NAMESPACE}">\n<id>urn:uuid:${id}</id>` +
    `<title>${escaped(title)}</title><updated>${updated}</updated>` +
    `<link rel="self" href="/espi/1_1/resource/Batch/RetailCustomer/1/UsagePoint"/>\n`
  );
}

export interface EntryHead {
  /** A UUID. */
  id: string;
  self: string;
  up: string;
  related: readonly string[];
  /** As XML. */
  title: string;
}

export function openEntry({ id, self, up, related, title }: EntryHead): string {
  const links = [
    `<link rel="self" href="${self}"/>`,
    `<link rel="up" href="${up}"/>`,
    ...related.map((href) => `<link rel="related" href="${href}"/>`),
  ];
  return `<entry><id>urn:uuid:${id}</id>${links.join('')}<title>${title}</title><content>`;
}

export function closeEntry(updated: string): string {
  return `</content><published>${updated}</published><updated>${updated}</updated></entry>\n`;
}
