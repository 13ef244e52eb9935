/** A plain decimal: no exponent, no thousands mark. */
const PLAIN = /^([+-]?)(\d*)(?:\.(\d*))?$/;
/** Of digits. The largest register of a meter has 12; a value with more is no reading. */
const MOST_DIGITS = 30;

/**
 * `text` times ten to the power of `power`, exactly: the decimal point moves, and no digit is lost.
 *
 * @returns undefined where `text` is no plain decimal.
 */
export function shifted(text: string, power: number): string | undefined {
  const found = PLAIN.exec(text);
  if (found === null) return undefined;
  const [, sign = '', whole = '', fraction = ''] = found;
  if (whole.length + fraction.length === 0 || whole.length + fraction.length > MOST_DIGITS) return undefined;
  const digits = whole + fraction;
  const point = whole.length + power;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const left = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const right = padded.slice(at).replace(/0+$/, '');
  const value = right === '' ? left : `${left}.${right}`;
  return sign === '-' && /[1-9]/.test(value) ? `-${value}` : value;
}

/** The power of ten that makes a unit of energy into kWh, by its name in any case; undefined of what is no energy. */
export function powerToKwh(unit: string): number | undefined {
  return POWERS[unit.trim().toLowerCase()];
}

const POWERS: Record<string, number> = { wh: -3, kwh: 0, mwh: 3, gwh: 6 };
