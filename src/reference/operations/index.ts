import type { Operation } from '../operation.js';
import { automatic } from './automatic.js';
import { backfill } from './backfill.js';
import { events } from './events.js';
import { exports } from './exports.js';
import { figures } from './figures.js';
import { imports } from './imports.js';
import { mappings } from './mappings.js';
import { pages } from './pages.js';
import { publishing } from './publishing.js';
import { status } from './status.js';
import { vee } from './vee.js';

/** Every route of the product. */
export const OPERATIONS: readonly Operation[] = [
  ...publishing,
  ...automatic,
  ...backfill,
  ...imports,
  ...vee,
  ...mappings,
  ...events,
  ...figures,
  ...exports,
  ...status,
  ...pages,
];
