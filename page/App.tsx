import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { writeAddress } from './core/address.js';
import { freshnessOf } from './core/freshness.js';
import { get } from './data/api.js';
import { address as addressStore, settle } from './data/location.js';
import { useStore } from './data/store.js';
import type { Events as EventsAnswer, Quickcheck, Tenants } from './data/types.js';
import { usePolled } from './data/usePolled.js';
import { useTenant } from './data/useTenant.js';
import { useVersioned } from './data/useVersioned.js';
import { Banners, Notices } from './parts/Banners.js';
import { Header } from './parts/Header.js';
import { KeyDialog } from './parts/KeyDialog.js';
import { Failed, Loading } from './parts/Panel.js';
import { useNow } from './parts/useNow.js';
import { Automatic } from './views/Automatic.js';
import { Events } from './views/Events.js';
import { Feeder } from './views/Feeder.js';
import { Meter } from './views/Meter.js';
import { Overview } from './views/Overview.js';
import { Start } from './views/Start.js';
import type { ViewProps } from './views/ViewProps.js';

const TENANTS_MS = 60_000;

export function App() {
  const address = useStore(addressStore);
  const tenants = usePolled<Tenants>('tenants', (signal) => get('/tenants', {}, signal), TENANTS_MS);
  const known = tenants.data?.tenants ?? [];
  const tenantId = address.tenant ?? known[0]?.tenantId ?? null;
  useEffect(() => {
    if (address.tenant === null && tenantId !== null) settle({ tenant: tenantId });
  }, [address.tenant, tenantId]);
  useEffect(() => {
    document.title = `${titleOf(address)} · GridLens AMI`;
  }, [address]);

  const isFirstLoad = tenantId === null && tenants.data === null;
  return isFirstLoad ? (
    <Shell tenants={[]} tenantId={null}>
      {tenants.error === null ? (
        <Loading what="the page" height={400} />
      ) : (
        <Failed what="the tenants" why={tenants.error} retry={tenants.refresh} />
      )}
    </Shell>
  ) : tenantId === null ? (
    <Shell tenants={[]} tenantId={null}>
      <Start tenantId={null} started={tenants.refresh} />
    </Shell>
  ) : (
    <OfTenant key={tenantId} tenantId={tenantId} tenants={known} refreshTenants={tenants.refresh} />
  );
}

interface OfTenantProps {
  tenantId: string;
  tenants: Tenants['tenants'];
  refreshTenants: () => void;
}

function OfTenant({ tenantId, tenants, refreshTenants }: OfTenantProps) {
  const address = useStore(addressStore);
  const [isWriting, setIsWriting] = useState(true);
  const state = useTenant(tenantId, isWriting);
  const quickcheck = state.quickcheck.data;
  useEffect(() => setIsWriting(quickcheck?.latest?.complete !== true), [quickcheck]);
  const list = useVersioned<EventsAnswer>(`events of ${tenantId}`, state.version, (signal) =>
    get('/events', { tenantId, limit: 200 }, signal),
  );
  const events = useMemo(() => list.data?.events ?? [], [list.data]);
  const [hasStarted, setHasStarted] = useState(false);
  const isKnown = tenants.some((one) => one.tenantId === tenantId);
  const isEmpty = quickcheck !== null && quickcheck.latest === null && !hasStarted && !isKnown;
  const started = (): void => {
    setHasStarted(true);
    refreshTenants();
    state.quickcheck.refresh();
  };
  const props: ViewProps = { address, tenantId, state, events, refreshEvents: list.refresh };
  return (
    <Shell
      tenants={tenants}
      tenantId={tenantId}
      quickcheck={quickcheck}
      isAutomatic={tenants.find((one) => one.tenantId === tenantId)?.automatic ?? false}
    >
      {isEmpty && address.view.name !== 'automatic' ? (
        <Start tenantId={tenantId} started={started} />
      ) : (
        <CurrentView {...props} />
      )}
    </Shell>
  );
}

function CurrentView(props: ViewProps) {
  const { view } = props.address;
  switch (view.name) {
    case 'overview':
      return <Overview {...props} />;
    case 'feeder':
      return <Feeder key={view.id} {...props} feederId={view.id} />;
    case 'meter':
      return <Meter key={view.id} {...props} meterId={view.id} />;
    case 'events':
      return <Events {...props} />;
    case 'automatic':
      return <Automatic {...props} />;
    case 'unknown':
      return (
        <>
          <h1 tabIndex={-1}>There is no such view</h1>
          <p>
            <a href={writeAddress({ ...props.address, view: { name: 'overview' } })}>Go to the overview</a>
          </p>
        </>
      );
  }
}

interface ShellProps {
  tenants: Tenants['tenants'];
  tenantId: string | null;
  quickcheck?: Quickcheck | null;
  isAutomatic?: boolean;
  children: ComponentChildren;
}

/** What surrounds every view. */
function Shell({ tenants, tenantId, quickcheck, isAutomatic = false, children }: ShellProps) {
  const address = useStore(addressStore);
  const now = useNow();
  const freshness = quickcheck
    ? freshnessOf({ ...intervalsOf(quickcheck), automatic: isAutomatic, now })
    : null;
  return (
    <>
      <Header view={address.view} tenant={tenantId} tenants={tenants} freshness={freshness} />
      <Banners old={freshness?.isOld ? freshness.words : null} />
      <main id="content">{children}</main>
      <Notices />
      <KeyDialog />
    </>
  );
}

function intervalsOf({ latest, latestComplete }: Quickcheck) {
  const times = (of: { intervalStart: string; intervalEnd: string }) => ({
    start: Date.parse(of.intervalStart),
    end: Date.parse(of.intervalEnd),
  });
  const underWay = latest !== null && !latest.complete ? latest : null;
  return {
    complete: latestComplete && times(latestComplete),
    underWay: underWay && {
      ...times(underWay),
      share: underWay.expectedMeters === 0 ? 0 : underWay.reportingMeters / underWay.expectedMeters,
    },
  };
}

function titleOf({ view }: ViewProps['address']): string {
  switch (view.name) {
    case 'feeder':
    case 'meter':
      return view.id;
    case 'events':
      return 'Events';
    case 'automatic':
      return 'Automatic mode';
    default:
      return 'Overview';
  }
}
