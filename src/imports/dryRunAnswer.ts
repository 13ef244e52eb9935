import type { Refusal } from '../intervalFiles/intervalFiles.js';
import type { ImportedFile } from './importFile.js';

/** Days and refused rows that an answer has at most, of all its files together. */
const DAYS_TOLD = 2_000;
const REFUSALS_TOLD = 1_000;

/** What would become of files, within the size of an answer. */
export function dryRunFiles(files: readonly ImportedFile[]) {
  let days = DAYS_TOLD;
  let refusals = REFUSALS_TOLD;
  return files.map((file) => {
    const { name, format, mapping, refusal, report, judgement, reads = 0, repeated = 0 } = file;
    const toldDays = judgement?.byDay.slice(0, days) ?? [];
    const toldRefusals = report?.refusals.slice(0, refusals) ?? [];
    days -= toldDays.length;
    refusals -= toldRefusals.length;
    return {
      fileName: name,
      ...(format === undefined ? {} : { format }),
      ...(mapping === undefined ? {} : { mapping }),
      ...(refusal === undefined ? {} : { refusal }),
      reads,
      rows: {
        written: judgement?.written ?? 0,
        replaced: judgement?.replaced ?? 0,
        unchanged: judgement?.unchanged ?? 0,
        refused: report?.refused ?? 0,
        refusedByRules: judgement?.refused ?? 0,
        repeated,
        left: report?.left ?? {},
      },
      metersToRegister: file.metersRegistered ?? 0,
      reasons: judgement?.reasons ?? [],
      byDay: toldDays.map(({ refused, ...day }) => ({ ...day, refusedByRules: refused })),
      moreDays: (judgement?.days ?? 0) - toldDays.length,
      refusals: toldRefusals.map(toldRefusal),
    };
  });
}

/** A refusal of a file that is no import. */
export function toldRefusal({ line, meterId, reason, rows = 1 }: Refusal) {
  return {
    line,
    ...(meterId === undefined ? {} : { meterId }),
    reason,
    ...(rows > 1 ? { rows } : {}),
  };
}

export type DryRunFile = ReturnType<typeof dryRunFiles>[number];
