import { type CampaignOptions, type Outcome, runCampaign } from './campaign.js';
import { DISTURBANCES } from './disturbances/index.js';
import { fiveAndFive } from './fiveAndFive.js';
import { contractFuzz } from './fuzz/contractFuzz.js';
import { modelSequences } from './model/modelSequences.js';
import type { Backend } from './queueServers.js';

/** A part of the campaign, by a name of its command line. */
export interface Part {
  about: string;
  backends: readonly Backend[];
  /** Rounds of the long form and of the short one. */
  rounds: { long: number; short: number };
  run(options: CampaignOptions): Promise<Outcome>;
}

/** Those with an oracle of their own; all others disturb publishes. */
export const OWN_PARTS: Record<string, Part> = {
  'five-and-five': fiveAndFive,
  'contract-fuzz': contractFuzz,
  model: modelSequences,
};

export const PARTS: Record<string, Part> = {
  ...Object.fromEntries(
    Object.entries(DISTURBANCES).map(([name, disturbance]) => [
      name,
      { ...disturbance, run: (options: CampaignOptions) => runCampaign(disturbance, options) },
    ]),
  ),
  ...OWN_PARTS,
};
