/** Streams of randomness (`chance/random.ts`) of what stands behind the meters: from 100 on, apart from all others. */
export const DER_STREAM = {
  hasPv: 100,
  hasEv: 101,
  hasHeatPump: 102,
  roof: 103,
  roofSize: 104,
  passingClouds: 105,
  carPower: 106,
  carUse: 107,
  sessionHappens: 108,
  sessionStart: 109,
  sessionEnergy: 110,
  heatPumpSize: 111,
  heatPumpCop: 112,
  heatPumpCycle: 113,
  heatPumpRun: 114,
  battery: 115,
  // Of the third model.
  heatPumpProgram: 116,
  cloudsOfHour: 117,
  cloudsOfQuarter: 118,
  darkness: 119,
} as const;
