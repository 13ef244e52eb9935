import type { Der } from '../../contracts/emulation.js';
import type { Climate } from '../../contracts/place.js';
import type { Place } from '../../contracts/places.js';
import { localQuarter } from '../customers/localTime.js';
import { weatherOn } from '../weather/weather.js';
import { withBattery } from './battery.js';
import { equipmentAt, type MeteredCustomer } from './equipment.js';
import { type ChargingDay, chargedKwh } from './ev.js';
import { heatPumpKwh } from './heatPump.js';
import { pvKwh } from './pv.js';
import { type Site, siteOf, standardOffset, sunClock } from './site.js';
import { type Sky, skyAt } from './sky.js';

/**
 * What stands behind the meters of a fleet's homes, in the quarter hours of one batch: what all homes have in common is worked out
 * once. A meter registers what flows in and what flows out in two channels; here they are one number, positive inwards.
 */
export interface BehindMeters {
  /** Whether anything stands behind a customer's meter: where nothing does, the net energy is what is consumed. */
  isFitted(customer: MeteredCustomer): boolean;
  /** Whether a customer's meter has a channel for what it feeds into the grid. */
  feedsIn(customer: MeteredCustomer): boolean;
  /**
   * Net energy through the meter in the quarter hour at `index` of the batch, kWh.
   *
   * @param consumed what the customer draws without any of it, kWh.
   */
  netKwh(customer: MeteredCustomer, index: number, consumed: number): number;
}

interface Quarter {
  slot: number;
  /** 0–23 by the local clock. */
  hour: number;
  day: number;
  quarter: number;
  sky: Sky;
  /** What houses feel of the air, °C. */
  outside: number;
  charging: readonly ChargingDay[];
}

/** Where and when a batch's quarter hours are. */
export interface BehindScene {
  der: Der;
  place?: Place | undefined;
  climate: Climate;
  timeZone: string;
  weatherKey: number;
  firstSlot: number;
  slots: number;
}

/** @throws RangeError when `timeZone` is no zone of the IANA database. */
export function behindMeters(scene: BehindScene): BehindMeters {
  const { der, weatherKey } = scene;
  const { pv = 0, ev = 0, heatPump = 0, battery = 0 } = der;
  const site = siteOf(scene.place, scene.climate, scene.timeZone);
  const quarters = Array.from({ length: scene.slots }, (_, index) =>
    quarterAt(site, scene.timeZone, weatherKey, scene.firstSlot + index),
  );
  const equipmentOf = equipmentAt(site.place);
  const isHome = ({ customerClass }: MeteredCustomer) => customerClass === 'residential';
  return {
    isFitted(customer) {
      if (!isHome(customer)) return false;
      const { evFrom, heatPumpFrom, pvFrom } = equipmentOf(customer);
      return evFrom < ev || heatPumpFrom < heatPump || pvFrom < pv;
    },
    feedsIn: (customer) => isHome(customer) && equipmentOf(customer).pvFrom < pv,
    netKwh(customer, index, consumed) {
      if (!isHome(customer)) return consumed;
      const has = equipmentOf(customer);
      const { slot, hour, day, quarter, sky, outside, charging } = quarters[index] as Quarter;
      const { key } = customer;
      let net = consumed;
      if (has.evFrom < ev) net += chargedKwh(key, has.car, slot, charging);
      if (has.heatPumpFrom < heatPump) net += heatPumpKwh(key, has.heatPump, slot, outside, hour);
      if (has.pvFrom >= pv) return net;
      net -= pvKwh(has.roof, sky);
      // Batteries stand in homes with a roof: the same draw, and a smaller share.
      if (has.pvFrom >= battery) return net;
      return withBattery(net, customer, has.battery, has.roof, site, weatherKey, day, quarter);
    },
  };
}

function quarterAt(site: Site, timeZone: string, weatherKey: number, slot: number): Quarter {
  const { day, quarter } = sunClock(site, slot);
  const sky = skyAt(site, weatherKey, slot);
  const mean = weatherOn(site.place, weatherKey, day).meanC;
  return {
    ...{ slot, day, quarter, sky },
    hour: localQuarter(timeZone, slot).quarterOfDay >> 2,
    // Walls keep half of a day's swing out.
    outside: (sky.air + mean) / 2,
    charging: chargingDays(timeZone, slot),
  };
}

/** The local day of a slot and the one before it. A day begins where its first slot is, whatever daylight saving does to it. */
function chargingDays(timeZone: string, slot: number): ChargingDay[] {
  const today = startOfDay(timeZone, slot);
  return [today, startOfDay(timeZone, today - 1)].map((start) => {
    // Noon is on the day itself by any clock.
    const { dayType } = localQuarter(timeZone, start + 48);
    return {
      day: Math.floor((start + 48 + standardOffset(timeZone)) / 96),
      start,
      isWeekend: dayType !== 'weekday',
    };
  });
}

function startOfDay(timeZone: string, slot: number): number {
  let start = slot - localQuarter(timeZone, slot).quarterOfDay;
  // A change of clocks in between has moved it.
  const shown = localQuarter(timeZone, start).quarterOfDay;
  if (shown !== 0) start += shown > 48 ? 96 - shown : -shown;
  return start;
}
