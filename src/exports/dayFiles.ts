import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder, sha256OfFile } from '../columnFiles/wholeFile.js';
import { StartupError } from '../contracts/errors.js';
import type { Queryable } from '../db/db.js';
import { WRITTEN_FORMATS } from '../intervalFiles/writeFile.js';
import { type ExportPlan, exportFile, shownDay } from './exports.js';
import { UNFINISHED, unwritable, type WholeExport, writeWhole } from './oneFile.js';

/** A day of the manifest. */
export interface ExportedDay extends WholeExport {
  day: string;
  file: string;
}

/** What the manifest of a folder says. */
export interface ExportManifest {
  manifest: 'gridlens-export';
  version: 1;
  /** What was asked for; `--resume` goes on with the same only. */
  asked: Record<string, unknown>;
  days: ExportedDay[];
}

const counts = z.record(z.string(), z.number());
const manifestSchema = z.object({
  manifest: z.literal('gridlens-export'),
  version: z.literal(1),
  asked: z.record(z.string(), z.unknown()),
  days: z.array(
    z.object({
      ...{ day: z.string(), file: z.string(), reads: z.number(), kwh: z.string(), receivedKwh: z.string() },
      ...{ left: counts, notCarried: counts, bytes: z.number(), sha256: z.string() },
    }),
  ),
});

const MANIFEST = 'manifest.json';

/**
 * Writes a file for each local day, and after each the manifest. Resumed, it goes on at the first day that lacks: one without
 * an entry, without its file, or whose file is another.
 *
 * @param onDay told of each day, and whether it was there before.
 * @throws StartupError where the folder holds another export, or cannot be written.
 */
export async function exportDays(
  database: Queryable,
  plan: ExportPlan,
  { folder, resumes, now }: { folder: string; resumes: boolean; now: () => Date },
  onDay: (day: ExportedDay, wasThere: boolean) => void = () => undefined,
): Promise<ExportManifest> {
  await makeFolder(folder).catch((error: unknown) => {
    throw unwritable(folder, error);
  });
  const asked = askedOf(plan);
  const before = await manifestIn(folder, asked, resumes);
  const manifest: ExportManifest = { manifest: 'gridlens-export', version: 1, asked, days: [] };
  for (const day of plan.days) {
    const name = shownDay(day);
    const known = before.find((one) => one.day === name);
    const wasThere = known !== undefined && (await sha256OfFile(join(folder, known.file))) === known.sha256;
    const file = `${name}.${WRITTEN_FORMATS[plan.format].ending}`;
    const exported = wasThere
      ? known
      : {
          ...{ day: name, file },
          ...(await writeWhole(join(folder, file), exportFile(database, plan, [day], now()), resumes)),
        };
    manifest.days.push(exported);
    // Days of the manifest that are still to be looked at stay in it.
    if (!wasThere)
      await keep(folder, {
        ...manifest,
        days: [...manifest.days, ...before.filter((one) => one.day > name)],
      });
    onDay(exported, wasThere);
  }
  await keep(folder, manifest);
  return manifest;
}

function askedOf({
  tenantId,
  format,
  zone,
  meters,
  feederId,
  quality,
  asOf,
  days,
}: ExportPlan): Record<string, unknown> {
  return {
    ...{ tenantId, format, zone: zone.name },
    from: shownDay(days[0] as number),
    to: shownDay(days.at(-1) as number),
    meters: meters ?? null,
    feederId: feederId ?? null,
    quality: quality ?? null,
    ...(asOf === undefined ? {} : { asOf: asOf.toISOString() }),
  };
}

async function manifestIn(
  folder: string,
  asked: Record<string, unknown>,
  resumes: boolean,
): Promise<ExportedDay[]> {
  const path = join(folder, MANIFEST);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new StartupError(`${path} cannot be read: ${error.message}.`);
  });
  if (text === undefined) return [];
  if (!resumes)
    throw new StartupError(`${folder} holds an export: go on with it by --resume, or name another folder.`);
  const manifest = parsed(text);
  if (manifest === undefined)
    throw new StartupError(`${path} is no manifest of an export: name another folder, or remove it.`);
  const differing = [...new Set([...Object.keys(asked), 'asOf'])].find(
    (field) => field !== 'to' && JSON.stringify(asked[field]) !== JSON.stringify(manifest.asked[field]),
  );
  if (differing !== undefined)
    throw new StartupError(
      `${folder} holds an export of another ${differing}, ${JSON.stringify(manifest.asked[differing] ?? null)}: --resume goes on with the same, or with a later day as its last.`,
    );
  if (String(manifest.asked.to) > String(asked.to))
    throw new StartupError(
      `${folder} holds an export to ${manifest.asked.to}: --resume goes on with the same, or with a later day as its last.`,
    );
  return manifest.days as ExportedDay[];
}

function parsed(text: string): z.infer<typeof manifestSchema> | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Whole or as it was before, whenever the process is ended. */
async function keep(folder: string, manifest: ExportManifest): Promise<void> {
  const path = join(folder, MANIFEST);
  // Always the same name: what a kill has left is written over.
  const temporary = `${path}${UNFINISHED}`;
  try {
    const handle = await open(temporary, 'w');
    await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await handle.sync();
    await handle.close();
    await rename(temporary, path);
  } catch (error) {
    throw unwritable(path, error);
  }
}
