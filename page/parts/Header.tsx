import type { View } from '../core/address.js';
import { zoneName } from '../core/format.js';
import { forgetKey, hasKey } from '../data/key.js';
import { change } from '../data/location.js';
import { useStore } from '../data/store.js';
import { switchTheme, theme } from '../data/theme.js';
import type { Tenants } from '../data/types.js';
import { Link } from './Link.js';

const VIEWS: { view: View; name: string; includes: View['name'][] }[] = [
  { view: { name: 'overview' }, name: 'Overview', includes: ['overview', 'feeder', 'meter'] },
  { view: { name: 'events' }, name: 'Events', includes: ['events'] },
  { view: { name: 'automatic' }, name: 'Automatic', includes: ['automatic'] },
];

interface HeaderProps {
  view: View;
  tenant: string | null;
  tenants: Tenants['tenants'];
  freshness: { words: string; isOld: boolean } | null;
}

export function Header({ view, tenant, tenants, freshness }: HeaderProps) {
  return (
    <header class="top">
      <a class="skip" href="#content">
        Skip to content
      </a>
      <div class="top-row">
        <Link to={{ name: 'overview' }} class="brand">
          GridLens AMI
        </Link>
        <nav aria-label="Views">
          {VIEWS.map(({ view: to, name, includes }) => (
            <Link key={name} to={to} isCurrent={includes.includes(view.name)}>
              {name}
            </Link>
          ))}
          <a href="/queues">Queues</a>
        </nav>
        <div class="top-end">
          <TenantPicker tenant={tenant} tenants={tenants} />
          <a href="/docs">API reference</a>
          <KeyState />
          <ThemeSwitch />
        </div>
      </div>
      <p class={`freshness ${freshness?.isOld ? 'old' : ''}`}>
        <span>{freshness?.words}</span>
        <span class="quiet"> Times are {zoneName()}.</span>
      </p>
    </header>
  );
}

function TenantPicker({ tenant, tenants }: { tenant: string | null; tenants: Tenants['tenants'] }) {
  if (tenant === null) return null;
  const known = tenants.map(({ tenantId }) => tenantId);
  return (
    <label class="inline">
      <span class="label">Tenant</span>
      <select value={tenant} onChange={(event) => change({ tenant: event.currentTarget.value })}>
        {(known.includes(tenant) ? known : [tenant, ...known]).map((id) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
}

function KeyState() {
  const isKept = useStore(hasKey);
  if (!isKept) return null;
  return (
    <button type="button" onClick={forgetKey} title="This tab has a key. Forget it.">
      Forget key
    </button>
  );
}

function ThemeSwitch() {
  const looks = useStore(theme);
  const other = looks === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="icon"
      onClick={switchTheme}
      aria-label={`Switch to ${other}`}
      title={`Switch to ${other}`}
    >
      {looks === 'dark' ? '☀' : '☾'}
    </button>
  );
}
