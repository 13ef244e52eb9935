/** What the address says: the view, the tenant, the span and the measure. Everything that is shown can be linked to. */
import { DEFAULT_LASTING, type SpanChoice, spanFromQuery, spanToQuery } from './spans.js';

export type View =
  | { name: 'overview' }
  | { name: 'feeder'; id: string }
  | { name: 'meter'; id: string }
  | { name: 'events' }
  | { name: 'automatic' }
  | { name: 'unknown' };

/** Measures of a feeder that charts can show. */
export const MEASURES = ['lossPct', 'completenessPct', 'minVoltage'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Address {
  view: View;
  /** Null: the first that there is. */
  tenant: string | null;
  span: SpanChoice;
  measure: Measure;
}

export const START: Address = {
  view: { name: 'overview' },
  tenant: null,
  span: { last: DEFAULT_LASTING },
  measure: 'lossPct',
};

/** @param search with or without `?`. */
export function readAddress(path: string, search: string): Address {
  const query = new URLSearchParams(search);
  const measure = query.get('measure') as Measure;
  return {
    view: viewOf(path),
    tenant: query.get('tenant') || null,
    span: spanFromQuery(query),
    measure: MEASURES.includes(measure) ? measure : 'lossPct',
  };
}

export function writeAddress({ view, tenant, span, measure }: Address): string {
  const query = new URLSearchParams({
    ...(tenant === null ? {} : { tenant }),
    ...spanToQuery(span),
    ...(measure === 'lossPct' ? {} : { measure }),
  }).toString();
  return `${pathOf(view)}${query === '' ? '' : `?${query}`}`;
}

function pathOf(view: View): string {
  switch (view.name) {
    case 'feeder':
      return `/feeders/${encodeURIComponent(view.id)}`;
    case 'meter':
      return `/meters/${encodeURIComponent(view.id)}`;
    case 'events':
    case 'automatic':
      return `/${view.name}`;
    default:
      return '/';
  }
}

function viewOf(path: string): View {
  const [, first = '', second, ...more] = path.replace(/\/$/, '').split('/');
  const id = second === undefined || more.length > 0 ? undefined : decoded(second);
  if (first === '' && second === undefined) return { name: 'overview' };
  if (first === 'feeders' && id) return { name: 'feeder', id };
  if (first === 'meters' && id) return { name: 'meter', id };
  if ((first === 'events' || first === 'automatic') && second === undefined) return { name: first };
  return { name: 'unknown' };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // A lone %: no address that the page has written.
    return undefined;
  }
}
