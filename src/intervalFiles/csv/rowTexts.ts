/** Texts that programs write for nothing, and no meter is called. */
const NO_ID = /^(?:null|\\n|n\/?a|#n\/a|nan|none|undefined|-+|\.)$/i;

/** A meter's id; undefined of a text that cannot be one. */
export function idIn(text: string): string | undefined {
  const id = Buffer.from(text.trim()).toString();
  return id === '' || NO_ID.test(id) || /[\p{C}"=]/u.test(id) ? undefined : id;
}

/** A file has some hundred dates and times, and as many meters as a tenant may have: each is looked at once. */
const MOST_KEPT = 30_000;

/** What `make` says of a text, made once. */
export function kept<V>(store: Map<string, V>, key: string, make: () => V): V {
  const found = store.get(key);
  if (found !== undefined || store.has(key)) return found as V;
  if (store.size >= MOST_KEPT) store.clear();
  const value = make();
  // A part of a line would keep the piece of the file alive that it was cut from: 64 kB a meter.
  store.set(Buffer.from(key).toString(), value);
  return value;
}

/** Whether the last field of a file without a last line end is shorter than it should be: a number by its decimals. */
export function isCut(last: string, before: string): boolean {
  const decimals = (text: string): number =>
    text.length - 1 - Math.max(text.lastIndexOf('.'), text.lastIndexOf(','));
  const isNumber = /^[\d.,]+$/.test(before);
  return isNumber && /[.,]/.test(before)
    ? !/[.,]/.test(last) || decimals(last) < decimals(before)
    : last.length < before.length;
}
