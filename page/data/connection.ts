/** Whether polls are answered: one banner for all of them. */
import { createStore } from './store.js';

export interface Trouble {
  /** What the API said, or that it said nothing. */
  message: string;
  since: number;
}

export const trouble = createStore<Trouble | null>(null);
/** Polls whose last request failed, by what they ask for. */
const failing = new Map<string, Trouble>();

export function reportFailure(key: string, message: string): void {
  failing.set(key, { message, since: failing.get(key)?.since ?? Date.now() });
  show();
}

export function reportSuccess(key: string): void {
  if (failing.delete(key)) show();
}

function show(): void {
  const [first] = [...failing.values()].toSorted((a, b) => a.since - b.since);
  trouble.set(first ?? null);
}
