import type { ExportQuality } from '../contracts/exportRequest.js';
import type { OutgoingRead } from '../intervalFiles/outgoing.js';

/** Which reads. */
export interface ReadsAsked {
  tenantId: string;
  from: Date;
  to: Date;
  /** These meters alone. */
  meters?: readonly string[] | undefined;
  feederId?: string | undefined;
  qualities?: readonly ExportQuality[] | undefined;
  /** As they stood then; as they are now where it is left out. */
  asOf?: Date | undefined;
  /** Told how many reads of a page were changed since `asOf` with no former value kept. */
  onUnknown?: ((reads: number) => void) | undefined;
}

/** A read before its interval's length is known. */
export type UnmeasuredRead = Omit<OutgoingRead, 'minutes'> & { minutes: number | null };
