import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { csvName, toCsv } from '../core/csv.js';
import { DataTable } from './DataTable.js';
import { Panel } from './Panel.js';
import { Interval } from './Time.js';

/** What a chart shows, as columns: for its table and its CSV. */
export interface ChartData {
  /** Interval starts, ms. */
  times: readonly number[];
  stepMs: number;
  columns: readonly {
    /** With its unit, as it heads the column of the CSV. */
    title: string;
    values: readonly (number | string | null)[];
    format: (value: number | string | null) => string;
  }[];
}

interface ChartPanelProps {
  title: string;
  note?: ComponentChildren;
  /** The tenant and whatever else tells this chart's file from others. */
  file: readonly string[];
  data: ChartData;
  actions?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A chart, its table, and a CSV of it. */
export function ChartPanel({ title, note, file, data, actions, class: name, children }: ChartPanelProps) {
  const [isTable, setIsTable] = useState(false);
  return (
    <Panel
      title={title}
      note={note}
      {...(name ? { class: name } : {})}
      actions={
        <>
          {actions}
          <button
            type="button"
            aria-pressed={isTable}
            aria-label={`${title} as a table`}
            onClick={() => setIsTable(!isTable)}
          >
            Table
          </button>
          <button type="button" aria-label={`${title} as CSV`} onClick={() => save(data, file)}>
            CSV
          </button>
        </>
      }
    >
      {isTable ? <ChartTable title={title} data={data} /> : children}
    </Panel>
  );
}

function ChartTable({ title, data }: { title: string; data: ChartData }) {
  const { times, stepMs, columns } = data;
  // The newest first: that is what a table is opened for.
  const rows = times.map((_, index) => times.length - 1 - index);
  return (
    <DataTable
      caption={title}
      rows={rows}
      keyOf={(row) => String(times[row])}
      columns={[
        {
          title: 'Interval',
          cell: (row) => <Interval start={times[row] as number} end={(times[row] as number) + stepMs} />,
        },
        ...columns.map((column) => ({
          title: column.title,
          isNumber: true,
          cell: (row: number) => column.format(column.values[row] ?? null),
        })),
      ]}
    />
  );
}

function save({ times, stepMs, columns }: ChartData, file: readonly string[]): void {
  const iso = (at: number): string => new Date(at).toISOString();
  const text = toCsv(
    ['interval_start', 'interval_end', ...columns.map(({ title }) => title)],
    times.map((at, row) => [iso(at), iso(at + stepMs), ...columns.map(({ values }) => values[row] ?? null)]),
  );
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  link.download = csvName(...file, iso(times[0] ?? Date.now()).slice(0, 10));
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
