import type { Emulation } from './emulation.js';
import type { IntervalMinutes } from './limits.js';
import type { Climate } from './place.js';

/** What every interval of a tenant is published with, held to the caps. */
export interface FleetSettings {
  tenantId: string;
  intervalMinutes: IntervalMinutes;
  batchSize: number;
  /** Null: all meters of the registry. */
  meterCount: number | null;
  /** Null for a registry, whose feeders are its own. */
  feederCount: number | null;
  fleet: 'synthetic' | 'registry';
  /** Null: the tenant's default. */
  seed: string | null;
  timeZone: string;
  climate: Climate;
  /** Model 1 with nothing behind the meters where nothing is said. */
  emulation?: Emulation;
}
