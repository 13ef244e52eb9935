import { canonicalEmulation, type Emulation, FIRST_EMULATION } from '../contracts/emulation.js';

/** How the tables that have `model`, `place`, `der`, `network` and `customers` are read and written. */

/** An `Emulation` in its JSON form, from the table or alias `of`. */
export function emulationColumn(of: string): string {
  return `jsonb_build_object('model', ${of}.model, 'place', ${of}.place, 'der', ${of}.der, 'network', ${of}.network,
    'customers', ${of}.customers) AS emulation`;
}

/** The values of the five columns, in this order; those of model 1 with nothing behind the meters by default. */
export function emulationValues(
  emulation: Emulation = FIRST_EMULATION,
): [model: number, place: string | null, der: string, network: string, customers: string] {
  const { model, place, der, network, customers } = canonicalEmulation(emulation);
  return [model, place, JSON.stringify(der), JSON.stringify(network), JSON.stringify(customers)];
}

/** Whether two fleets are made by the same. */
export function isMadeAlike(one: Emulation | undefined, other: Emulation | undefined): boolean {
  return JSON.stringify(emulationValues(one)) === JSON.stringify(emulationValues(other));
}
