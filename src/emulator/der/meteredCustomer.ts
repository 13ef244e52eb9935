import { type Customer2, meanKwh2 } from '../model2.js';
import type { MeteredCustomer } from './equipment.js';

/** What stands behind a meter is kept by its customer, who has to be the same object each time. */
const meteredCustomers = new WeakMap<Customer2, MeteredCustomer>();

/** A customer of model 2 as the equipment behind the meter goes by it: with a mean. */
export function meteredOf(customer: Customer2): MeteredCustomer {
  const found = meteredCustomers.get(customer) ?? { ...customer, meanKwh: meanKwh2(customer) };
  meteredCustomers.set(customer, found);
  return found;
}
