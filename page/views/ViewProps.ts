import type { Address } from '../core/address.js';
import type { PilotEvent } from '../data/types.js';
import type { TenantState } from '../data/useTenant.js';

/** What every view of a tenant is given. */
export interface ViewProps {
  address: Address;
  tenantId: string;
  state: TenantState;
  /** The tenant's events, the latest first. */
  events: PilotEvent[];
  refreshEvents: () => void;
}
