/** The columns of `ami_replaced_reads`, the history of reads: whoever puts something in a read's place fills each of them. */
const COLUMNS = [
  'tenant_id',
  'meter_id',
  'read_at',
  'replaced_at',
  'replaced_by',
  'written_at',
  'feeder_id',
  'kwh',
  'delivered_kwh',
  'voltage',
  'received_kwh',
  'interval_minutes',
  'quality',
  'quality_method',
  'import_id',
] as const;

/** What fills a column, as SQL over the rows of `from`; a column that is not named has its own name there. */
type Filled = Partial<Record<(typeof COLUMNS)[number], string>> &
  Record<'replaced_at' | 'replaced_by' | 'written_at', string>;

/**
 * The INSERT that keeps in the history what reads were.
 *
 * @param from a relation with the former reads, with its WHERE where it has one.
 */
export function keepReplaced(filled: Filled, from: string): string {
  const values = COLUMNS.map((column) => filled[column] ?? column);
  return `INSERT INTO ami_replaced_reads (${COLUMNS.join(', ')})
    SELECT ${values.join(', ')}
    FROM ${from}`;
}
