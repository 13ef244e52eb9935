/** What the reader has done and what came of it, one line each, read out by screen readers. */
import { createStore } from './store.js';

export interface Notice {
  id: number;
  kind: 'done' | 'under-way' | 'failed';
  text: string;
}

export const notices = createStore<Notice[]>([]);
const SHOWN_MS = 12_000;
let nextId = 1;

/** Shows a line, and again to change it; one under way stays, others go by themselves. */
export function notice(kind: Notice['kind'], text: string, replaces?: number): number {
  const id = replaces ?? nextId++;
  const others = notices.get().filter((one) => one.id !== id);
  notices.set([...others, { id, kind, text }].slice(-4));
  if (kind === 'done') setTimeout(() => dismiss(id), SHOWN_MS);
  return id;
}

export function dismiss(id: number): void {
  notices.set(notices.get().filter((one) => one.id !== id));
}
