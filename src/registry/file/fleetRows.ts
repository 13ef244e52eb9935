import { tenantId as tenantIdSchema } from '../../contracts/fields.js';
import { fromCell } from '../../intervalFiles/csv/formulaCells.js';
import { type NamedColumns, OWN_NAMES_ALONE, readHeader } from './fleetHeader.js';
import {
  type Fit,
  FLAGS,
  type FleetColumn,
  type FleetRules,
  plainWord,
  shown,
  unfitAsId,
  unfitForAnyColumn,
} from './fleetValues.js';
import { doubtfulId, notAnId } from './notAnId.js';

/**
 * The lines of a fleet file, checked against each other and against what the registry's columns hold.
 * Kept as columns, not as one object per line: a million meters then take some 200 MB.
 */

/** What is wrong, as the end of a sentence that begins with line and column. */
export interface LineProblem {
  line: number;
  column: string | null;
  message: string;
}

/** The meters and feeders of one tenant, each once. */
export interface TenantFleet {
  tenantId: string;
  feederIds: string[];
  /** Null: not said. */
  feederNames: (string | null)[];
  meterIds: string[];
  /** Index into `feederIds` for each meter; -1 for one on no feeder. */
  feederOf: number[];
  /** Null: not said. */
  isActive: (boolean | null)[];
}

/**
 * How many problems are shown; further ones are only counted, since twenty of a kind show what to do about the rest.
 */
export const SHOWN_PROBLEMS = 20;

/** A tenant's rows with what is needed to find the line that a later one contradicts. */
interface Collected extends TenantFleet {
  meters: Map<string, number>;
  meterLines: number[];
  feeders: Map<string, number>;
  nameLines: number[];
}

/** How a value that is not empty is written in the registry, or why a load refuses it. */
export function fitOf({ fits }: FleetRules, column: keyof FleetRules['fits'], value: string): Fit {
  const isId = column === 'meter_id' || column === 'feeder_id';
  const problem = unfitForAnyColumn(value) ?? (isId ? (unfitAsId(value) ?? notAnId(value)) : undefined);
  return problem === undefined ? fits[column](value) : { problem };
}

/** Takes the header, then line after line. Problems are gathered, never thrown. */
export class FleetRows {
  /** The first `SHOWN_PROBLEMS` of `problemCount`. */
  readonly problems: LineProblem[] = [];
  problemCount = 0;
  /** Meters' lines. */
  lines = 0;
  /** Lines that say the same as an earlier one. */
  repeated = 0;
  /** The columns that were passed over, as the file names them. */
  ignored: readonly string[] = [];
  /** What was taken as it stands and may not be meant so: the first `SHOWN_PROBLEMS` of `warningCount`. */
  readonly warnings: LineProblem[] = [];
  warningCount = 0;
  #header: (FleetColumn | null)[] | undefined;
  readonly #tenants = new Map<string, Collected | { problem: string }>();

  /**
   * @param tenantId whose fleet it is; undefined where the file's own column says so.
   * @param named what is said of columns that have names of their own.
   * @param statuses what words of is_active mean beside those of `FLAGS`, as `plainWord` has them.
   */
  constructor(
    private readonly rules: FleetRules,
    private readonly tenantId: string | undefined,
    private readonly named: NamedColumns = OWN_NAMES_ALONE,
    private readonly statuses: ReadonlyMap<string, boolean> = new Map(),
  ) {}

  /** Whether a header was read that the lines can be understood by. */
  get hasHeader(): boolean {
    return this.#header !== undefined;
  }

  tenants(): TenantFleet[] {
    return [...this.#tenants.values()].filter((tenant) => 'meterIds' in tenant);
  }

  refuse(line: number, column: string | null, message: string): void {
    this.problemCount += 1;
    if (this.problems.length < SHOWN_PROBLEMS) this.problems.push({ line, column, message });
  }

  #warn(line: number, column: string, message: string): void {
    this.warningCount += 1;
    if (this.warnings.length < SHOWN_PROBLEMS) this.warnings.push({ line, column, message });
  }

  /** Reads the names of the columns. */
  header(line: number, names: readonly string[]): void {
    const { columns, ignored, problems } = readHeader(
      names,
      this.rules,
      this.tenantId === undefined,
      this.named,
    );
    for (const [column, message] of problems) this.refuse(line, column, message);
    if (problems.length > 0) return;
    this.#header = columns;
    this.ignored = ignored;
  }

  add(line: number, values: readonly string[]): void {
    const header = this.#header ?? [];
    this.lines += 1;
    if (values.length !== header.length) {
      const count = values.length === 1 ? 'one value' : `${values.length} values`;
      this.refuse(line, null, `has ${count} for ${header.length} columns`);
      return;
    }
    const value = (column: FleetColumn): string => fromCell(values[header.indexOf(column)] ?? '');
    const before = this.problemCount;
    const tenant = this.#tenantOf(line, header.includes('tenant_id') ? value('tenant_id') : this.tenantId);
    const meterId = this.#fitting(line, 'meter_id', value('meter_id'));
    if (meterId === '') this.refuse(line, 'meter_id', 'is empty: every line names a meter');
    const feederId = this.#fitting(line, 'feeder_id', value('feeder_id'));
    const name = this.#fitting(line, 'feeder_name', value('feeder_name'));
    if (name && feederId === '') this.refuse(line, 'feeder_name', 'names a feeder that feeder_id leaves out');
    const status = plainWord(value('is_active'));
    const isActive = this.statuses.get(status) ?? FLAGS.get(status);
    if (isActive === undefined) {
      const advice = '--status WORD=true and --status WORD=false say what other words mean';
      this.refuse(line, 'is_active', `must be true or false, not ${shown(value('is_active'))}; ${advice}`);
    }
    if (this.problemCount > before || !tenant || !meterId || feederId === undefined) return;
    const feeder = feederId === '' ? -1 : this.#feederAt(tenant, line, feederId, name || null);
    this.#meter(tenant, line, meterId, feeder, isActive ?? null);
  }

  #tenantOf(line: number, value: string | undefined): Collected | undefined {
    const name = value ?? '';
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      tenant = this.#newTenant(name);
      this.#tenants.set(name, tenant);
    }
    if ('meterIds' in tenant) return tenant;
    this.refuse(line, 'tenant_id', tenant.problem);
    return undefined;
  }

  #newTenant(name: string): Collected | { problem: string } {
    const parsed = tenantIdSchema.safeParse(name);
    if (!parsed.success) return { problem: `${parsed.error.issues[0]?.message}` };
    if (this.tenantId !== undefined && name !== this.tenantId) {
      return { problem: `is ${shown(name)}, but --tenant is ${this.tenantId}` };
    }
    if (!this.rules.hasTenants && this.tenants().length > 0) {
      return { problem: 'is a second tenant, but the registry does not tell its meters apart by tenant' };
    }
    const fit = this.rules.fits.tenant_id(name);
    if ('problem' in fit) return fit;
    return {
      tenantId: fit.value,
      feederIds: [],
      feederNames: [],
      meterIds: [],
      feederOf: [],
      isActive: [],
      meters: new Map(),
      meterLines: [],
      feeders: new Map(),
      nameLines: [],
    };
  }

  /** The value as the registry writes it; undefined, with the reason noted, where it cannot be there. */
  #fitting(line: number, column: keyof FleetRules['fits'], value: string): string | undefined {
    if (value === '') return value;
    const fit = fitOf(this.rules, column, value);
    const doubt = column === 'meter_id' || column === 'feeder_id' ? doubtfulId(value) : undefined;
    if (doubt !== undefined) this.#warn(line, column, doubt);
    if ('value' in fit) return fit.value;
    this.refuse(line, column, fit.problem);
    return undefined;
  }

  #feederAt(tenant: Collected, line: number, feederId: string, name: string | null): number {
    const known = tenant.feeders.get(feederId);
    if (known === undefined) {
      tenant.feeders.set(feederId, tenant.feederIds.length);
      tenant.nameLines.push(line);
      tenant.feederNames.push(name);
      return tenant.feederIds.push(feederId) - 1;
    }
    const before = tenant.feederNames[known] ?? null;
    if (before === null && name !== null) {
      tenant.feederNames[known] = name;
      tenant.nameLines[known] = line;
    } else if (name !== null && name !== before) {
      const other = `${shown(before ?? '')} in line ${tenant.nameLines[known]}`;
      this.refuse(
        line,
        'feeder_name',
        `calls feeder ${shown(feederId)} ${shown(name)}, but it is called ${other}`,
      );
    }
    return known;
  }

  #meter(tenant: Collected, line: number, meterId: string, feeder: number, isActive: boolean | null): void {
    const known = tenant.meters.get(meterId);
    if (known === undefined) {
      tenant.meters.set(meterId, tenant.meterIds.length);
      tenant.meterIds.push(meterId);
      tenant.meterLines.push(line);
      tenant.feederOf.push(feeder);
      tenant.isActive.push(isActive);
      return;
    }
    const on = (index: number): string =>
      index < 0 ? 'no feeder' : `feeder ${shown(tenant.feederIds[index] ?? '')}`;
    const before = tenant.feederOf[known] ?? -1;
    const where = `in line ${tenant.meterLines[known]}`;
    if (before !== feeder) {
      this.refuse(
        line,
        'meter_id',
        `puts meter ${shown(meterId)} on ${on(feeder)}, but it is on ${on(before)} ${where}`,
      );
    } else if (tenant.isActive[known] !== isActive) {
      this.refuse(line, 'is_active', `is not what it is for the same meter ${shown(meterId)} ${where}`);
    } else {
      this.repeated += 1;
    }
  }
}
