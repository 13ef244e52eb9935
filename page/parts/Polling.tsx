import type { ComponentChildren } from 'preact';
import type { Polled } from '../data/usePolled.js';
import { Failed, Loading } from './Panel.js';

interface PollingProps<T> {
  polled: Polled<T>;
  what: string;
  height?: number;
  children: (data: T) => ComponentChildren;
}

/** One of the three: what was loaded, that it is loading, or why it could not be. Old data stays while polls fail. */
export function Polling<T>({ polled, what, height, children }: PollingProps<T>) {
  if (polled.data !== null) return <>{children(polled.data)}</>;
  if (polled.error !== null) return <Failed what={what} why={polled.error} retry={polled.refresh} />;
  return <Loading what={what} {...(height === undefined ? {} : { height })} />;
}
