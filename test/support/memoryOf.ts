import { readFileSync } from 'node:fs';

/** Resident memory of a process in MB, as Linux says it. */
export const memoryOf = (pid: number): number => marked(pid, 'VmRSS');

/**
 * The most that a process has held since its program began, in MB; 0 of one that has ended. `process.resourceUsage().maxRSS` is not
 * that: Linux starts it at what the parent held as it forked, which was 2.7 GB below a bench with tables in memory.
 */
export function peakMemoryOf(pid: number | 'self'): number {
  try {
    return marked(pid, 'VmHWM') || 0;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}

function marked(pid: number | 'self', mark: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${mark}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024;
}
