import type { Telemetry } from 'bullmq';
import { StartupError } from '../contracts/errors.js';

/**
 * BullMQ's spans in OpenTelemetry's form, by a package that is installed beside the product where traces are wanted.
 * Without an SDK in the process they go nowhere (docs/operations.md).
 *
 * @throws StartupError when the package is not there.
 */
export async function openTelemetry(): Promise<Telemetry> {
  try {
    const { BullMQOtel } = await import('bullmq-otel');
    return new BullMQOtel({ tracerName: 'gridlens' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StartupError(
      'QUEUE_TELEMETRY needs the package bullmq-otel beside GridLens: run `npm install --no-save bullmq-otel`, or leave QUEUE_TELEMETRY out.',
    );
  }
}
