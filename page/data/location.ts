/** The browser's address as a store: views are links, and the back button works. */
import { type Address, readAddress, writeAddress } from '../core/address.js';
import { createStore } from './store.js';

const here = (): Address => readAddress(location.pathname, location.search);

export const address = createStore<Address>(here());
window.addEventListener('popstate', () => address.set(here()));

/** Goes to another view as a link would, and begins at its top. */
export function go(to: Address): void {
  history.pushState(null, '', writeAddress(to));
  address.set(to);
  window.scrollTo(0, 0);
  // Who hears the page rather than sees it begins with the heading of the view.
  requestAnimationFrame(() => document.querySelector<HTMLElement>('h1')?.focus());
}

/** Changes tenant, span or measure; a step of its own for the back button, but the same place on the page. */
export function change(part: Partial<Address>): void {
  const to = { ...address.get(), ...part };
  history.pushState(null, '', writeAddress(to));
  address.set(to);
}

/** The same where nobody has asked for it, such as the first tenant. */
export function settle(part: Partial<Address>): void {
  const to = { ...address.get(), ...part };
  history.replaceState(null, '', writeAddress(to));
  address.set(to);
}
