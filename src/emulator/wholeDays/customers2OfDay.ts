import { type Customer2, consumedKwh2, type ExpectedScene } from '../model2.js';

/** Fills in what a customer of the second model draws in each quarter hour of a scene, kWh. */
export function fillCustomer2(into: Float64Array, customer: Customer2, scene: ExpectedScene): void {
  for (let at = 0; at < scene.slots; at += 1) into[at] = consumedKwh2(customer, scene.firstSlot + at, scene);
}
