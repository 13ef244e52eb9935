import type { ComponentChildren } from 'preact';
import { type View, writeAddress } from '../core/address.js';
import { address, go } from '../data/location.js';
import { useStore } from '../data/store.js';

interface LinkProps {
  to: View;
  class?: string;
  isCurrent?: boolean;
  children: ComponentChildren;
}

/** A link to a view of the same tenant and span: a real one, which can be copied or opened in a new tab. */
export function Link({ to, class: name, isCurrent, children }: LinkProps) {
  const target = { ...useStore(address), view: to };
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(target);
  };
  return (
    <a
      href={writeAddress(target)}
      onClick={follow}
      {...(name ? { class: name } : {})}
      {...(isCurrent ? { 'aria-current': 'page' as const } : {})}
    >
      {children}
    </a>
  );
}

export const FeederLink = ({ id }: { id: string }) => <Link to={{ name: 'feeder', id }}>{id}</Link>;
export const MeterLink = ({ id }: { id: string }) => <Link to={{ name: 'meter', id }}>{id}</Link>;
