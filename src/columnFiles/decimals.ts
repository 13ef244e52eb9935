/** A whole number that stands for a decimal as plain digits: `shownDecimal(-12345, 4)` is `-1.2345`. */
export function shownDecimal(value: number | bigint, scale: number): string {
  const digits = String(value < 0 ? -value : value).padStart(scale + 1, '0');
  const sign = value < 0 ? '-' : '';
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
