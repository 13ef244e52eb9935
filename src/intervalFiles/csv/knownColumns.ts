import type { EnergyChannel } from '../intervalFiles.js';

/** A column's name as it is compared: without case, blanks and marks. */
export function plainName(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** What utilities call the column of the meter, the best first. An account or a customer has several meters. */
export const METER_NAMES = [
  ...[
    'meterid',
    'meternumber',
    'meterno',
    'meter',
    'meterserial',
    'meterserialnumber',
    'serialnumber',
    'mtr',
  ],
  ...[
    'nmi',
    'esiid',
    'mpan',
    'usagepoint',
    'servicepoint',
    'servicepointid',
    'zahlernummer',
    'zahler',
    'zahlpunkt',
  ],
  ...['deviceid', 'device'],
];

export const ESTIMATED_NAMES = /estimat|quality|status|flag|readtype|geschatzt/;

/** Texts of a column of qualities that say one thing only, in lower case. */
export const ESTIMATED_TEXTS = new Set(['y', 'yes', 'true', '1', 'e', 'est', 'estimated', 'estimate']);
export const MEASURED_TEXTS = new Set(['n', 'no', 'false', '0', 'a', 'act', 'actual', 'measured', 'r', '']);

const UNIT = /(?:^|[^a-z])(kwh|mwh|gwh|wh)(?![a-z])/i;
const ENERGY = /kwh|mwh|usage|consum|deliver|receiv|generat|energy|value|verbrauch|bezug|einspeis|^wh$/;
const NO_ENERGY = /kvar|varh|reactive|volt|amp|cost|price|temp|demand|kva|unit/;
const INTO_GRID = /receiv|generat|solar|feedin|feedback|einspeis|reverse|returned/;
const FROM_GRID = /deliver|consum|usage|used|verbrauch|bezug|forward/;
/** Seen from the customer or from the market they are opposites. */
const EITHER_WAY = /import|export/;

/** The unit that a column's name has, as it stands there. */
export function unitIn(name: string): string | undefined {
  return UNIT.exec(name)?.[1];
}

/** Whether a column is of energy, by its name. */
export function isEnergyName(name: string): boolean {
  const plain = plainName(name);
  return (
    !NO_ENERGY.test(plain) && (ENERGY.test(plain) || EITHER_WAY.test(plain) || unitIn(name) !== undefined)
  );
}

/** @returns undefined where the name says none, `either` where it says one that depends on who says it. */
export function channelIn(name: string): EnergyChannel | 'either' | undefined {
  const plain = plainName(name);
  if (EITHER_WAY.test(plain)) return 'either';
  if (INTO_GRID.test(plain)) return 'receivedKwh';
  return FROM_GRID.test(plain) ? 'kwh' : undefined;
}

/** Which end of the interval a column of times is for, by its name. */
export function endIn(name: string): 'start' | 'end' | undefined {
  const plain = plainName(name);
  if (/start|begin|from|^von/.test(plain)) return 'start';
  return /end|until|^to|^bis/.test(plain) ? 'end' : undefined;
}
