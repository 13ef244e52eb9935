import { z } from 'zod';
import { feederId } from './eventRequest.js';
import { tenantId } from './fields.js';
import { pageOf } from './seriesRequest.js';

/** Parameters in the path of the routes of one import. */
export const importParameters = z.object({
  importId: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be the importId that an import answered with, a whole number')
    .transform(Number),
});

/** Refused rows beyond which nothing of a file is taken, where nothing else is said. */
export const MOST_REFUSALS = 100;

/** What a mapping is kept under. */
export const mappingName = z
  .string('must be the name of a mapping, for example "utility-a"')
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"');

/** Parameters in the path of the routes of one mapping. */
export const mappingParameters = z.object({ name: mappingName });

/** No control characters: it is shown in terminals. */
const FILE_NAME = /^[^\p{C}/\\]{1,200}$/u;

const afterForm = 'must be a whole number, as `next` of the page before says';

const yesOrNo = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((value) => value === 'true')
  .optional();

/** Query of `GET /api/ami/imports/:importId/refusals`. */
export const refusalsQuery = z.object({
  limit: pageOf(1_000, 100),
  after: z
    .string(afterForm)
    .regex(/^\d{1,15}$/, afterForm)
    .transform(Number)
    .optional()
    .meta({ type: 'integer', minimum: 1, description: '`next` of the page before.' }),
});

/** Query of `POST /api/ami/imports`, whose body is the file. */
export const uploadQuery = z
  .object({
    tenantId,
    fileName: z
      .string('must be a name of a file, for example "january.csv"')
      .refine(
        (name) => FILE_NAME.test(name),
        'must be a name of a file without folders, of up to 200 characters',
      )
      .default('upload')
      .meta({
        default: 'upload',
        maxLength: 200,
        description: 'What the file is called in answers and lists; it says nothing else.',
      }),
    dryRun: yesOrNo.meta({ description: 'Says what would become of the file, and writes nothing.' }),
    register: yesOrNo.meta({ description: 'Takes meters that the registry does not have into it.' }),
    feeder: feederId
      .optional()
      .describe(
        'The feeder that those are taken in on; it is made where there is none. Beside `feederColumn`: of those whose row names none.',
      ),
    feederColumn: z
      .string()
      .min(1, 'must name a column of the header')
      .max(200, 'must be at most 200 characters')
      .optional()
      .describe(
        'The column of a CSV file that names the feeder of a new meter. A saved mapping may have it too.',
      ),
    overEmulated: yesOrNo.meta({ description: 'Puts measured reads in the place of emulated ones.' }),
    mostRefusals: z
      .string()
      .regex(/^\d{1,9}$/, 'must be a whole number from 0 on')
      .transform(Number)
      .default(MOST_REFUSALS)
      .meta({
        type: 'integer',
        minimum: 0,
        default: MOST_REFUSALS,
        description: 'Refused rows beyond which nothing of the file is taken.',
      }),
    mapping: mappingName
      .optional()
      .describe('A saved mapping that says what a CSV file means; what it lacks is found in the file.'),
    timeZone: z
      .string()
      .regex(
        /^[A-Za-z0-9_+:/-]{1,64}$/,
        'must be a time zone, for example "Europe/Berlin", "UTC" or "+10:00"',
      )
      .optional()
      .describe('Whose days are counted by, and whose clock a CMEP file has.'),
  })
  .superRefine(({ register = false, feeder, feederColumn, mapping }, { addIssue }) => {
    if (register && (feeder ?? feederColumn ?? mapping) === undefined)
      addIssue({
        code: 'custom',
        path: ['feeder'],
        message:
          'must name the feeder of new meters beside register=true, or feederColumn the column that has it',
      });
    if (!register && feeder !== undefined)
      addIssue({ code: 'custom', path: ['feeder'], message: 'goes with register=true' });
    if (!register && feederColumn !== undefined)
      addIssue({ code: 'custom', path: ['feederColumn'], message: 'goes with register=true' });
  });
export type UploadQuery = z.infer<typeof uploadQuery>;
