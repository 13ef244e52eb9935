/** One line of the report. */
export interface Row {
  what: string;
  measured: string;
  ratio: string;
  target: string;
}

export const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');
