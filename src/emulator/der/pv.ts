import type { Roof } from './equipment.js';
import type { Sky } from './sky.js';

/** What a roof of solar cells makes. */

/** What inverter, wiring and dirt leave. */
const SYSTEM = 0.86;
/** Cells lose this share of their power per degree above 25 °C, and are so many degrees warmer than the air per W/m². */
const PER_DEGREE = 0.004;
const WARMER = 0.03;
/** Cells over inverter, kW. */
const DC_OVER_AC = 1.15;
/** What the ground throws back. */
const ALBEDO = 0.2;

/** Energy of a quarter hour, kWh. */
export function pvKwh(roof: Roof, { east, north, up, diffuse, air }: Sky): number {
  if (diffuse === 0) return 0;
  const beam = roof.east * east + roof.north * north + roof.up * up;
  const onRoof =
    Math.max(0, beam) + (diffuse * (1 + roof.up)) / 2 + (ALBEDO * (up + diffuse) * (1 - roof.up)) / 2;
  const degrees = air + WARMER * onRoof - 25;
  const kw = (SYSTEM * roof.peakKw * onRoof * (1 - PER_DEGREE * degrees)) / 1_000;
  return Math.min(kw, roof.peakKw / DC_OVER_AC) / 4;
}
