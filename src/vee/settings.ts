import type { VeeRulesRequest } from '../contracts/veeRequest.js';
import { DEFAULT_RULES, type RuleSetting, type RuleSettings, type VeeRule } from '../contracts/veeRules.js';
import { type Database, type Queryable, withTransaction } from '../db/db.js';

/** What a tenant wants of validation. */
export interface VeeSettings {
  isOn: boolean;
  estimates: boolean;
  /** Quarter hours that a read may be late. */
  graceIntervals: number;
  /** By whose clock like days go. */
  timeZone: string;
  /** Who says so: the tenant, whose days are counted by it, or the rules, which name another one. */
  timeZoneOf: 'tenant' | 'rules';
  rules: RuleSettings;
}

const OFF = {
  isOn: false,
  estimates: false,
  graceIntervals: 4,
  timeZone: 'UTC',
  timeZoneOf: 'tenant' as const,
};

/** A tenant's settings; of one that has said nothing the defaults, which are off as a whole. */
export async function veeSettings(client: Queryable, tenantId: string): Promise<VeeSettings> {
  const { rows } = await client.query<Omit<VeeSettings, 'rules'>>(
    `SELECT coalesce(is_on, ${OFF.isOn}) AS "isOn", coalesce(estimates, ${OFF.estimates}) AS estimates,
       coalesce(grace_intervals, ${OFF.graceIntervals}) AS "graceIntervals",
       coalesce(nullif(vee.time_zone, '${OFF.timeZone}'), zone.time_zone, '${OFF.timeZone}') AS "timeZone",
       CASE WHEN vee.time_zone <> '${OFF.timeZone}' AND vee.time_zone IS DISTINCT FROM zone.time_zone THEN 'rules' ELSE 'tenant' END
         AS "timeZoneOf"
     FROM (SELECT $1::text AS tenant_id) asked
     LEFT JOIN ami_vee_tenants vee USING (tenant_id) LEFT JOIN ami_tenant_zones zone USING (tenant_id)`,
    [tenantId],
  );
  return { ...(rows[0] ?? OFF), rules: await ruleSettings(client, tenantId) };
}

async function ruleSettings(client: Queryable, tenantId: string): Promise<RuleSettings> {
  const { rows } = await client.query<RuleSetting & { rule: VeeRule }>(
    `SELECT rule, severity, limit_value::double precision AS "limit" FROM ami_vee_rules WHERE tenant_id = $1`,
    [tenantId],
  );
  const own = new Map(rows.map(({ rule, severity, limit }) => [rule, { severity, limit }]));
  // A rule of a later version that an older process does not know is left out.
  return Object.fromEntries(
    Object.entries(DEFAULT_RULES).map(([rule, usual]) => [rule, own.get(rule as VeeRule) ?? usual]),
  ) as unknown as RuleSettings;
}

/**
 * Changes what is given and leaves the rest. Whoever switches validation on begins with the next interval. A zone that is the
 * tenant's own is not kept a second time: what is counted by days follows the tenant's, whatever it will be.
 */
export function changeSettings(
  database: Database,
  { tenantId, rules = {}, ...wanted }: VeeRulesRequest,
): Promise<void> {
  return withTransaction(database, async (client) => {
    const { isOn, estimates, graceIntervals } = wanted;
    const timeZone = await ownZone(client, tenantId, wanted.timeZone);
    // Where validation was off, what was not validated meanwhile is left.
    await client.query(
      `INSERT INTO ami_vee_tenants AS tenant (tenant_id, is_on, estimates, grace_intervals, time_zone)
       VALUES ($1, coalesce($2, ${OFF.isOn}), coalesce($3, ${OFF.estimates}), coalesce($4::smallint, ${OFF.graceIntervals}),
         coalesce($5, '${OFF.timeZone}'))
       ON CONFLICT (tenant_id) DO UPDATE SET is_on = coalesce($2, tenant.is_on),
         estimates = coalesce($3, tenant.estimates), grace_intervals = coalesce($4, tenant.grace_intervals),
         time_zone = coalesce($5, tenant.time_zone),
         validated_to = CASE WHEN tenant.is_on THEN tenant.validated_to END,
         version = nextval('ami_rollup_versions')`,
      [tenantId, isOn ?? null, estimates ?? null, graceIntervals ?? null, timeZone ?? null],
    );
    const before = await ruleSettings(client, tenantId);
    for (const [rule, change] of Object.entries(rules)) {
      if (change === undefined) continue;
      const { severity, limit } = { ...before[rule as VeeRule], ...change };
      await client.query(
        `INSERT INTO ami_vee_rules (tenant_id, rule, severity, limit_value) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, rule) DO UPDATE SET severity = excluded.severity, limit_value = excluded.limit_value`,
        [tenantId, rule, severity, limit],
      );
    }
  });
}

/** The zone as rules keep it: UTC, which stands for none of their own, where the tenant has it or is about to. */
async function ownZone(client: Queryable, tenantId: string, wanted?: string): Promise<string | undefined> {
  if (wanted === undefined) return undefined;
  const { rows } = await client.query<{ timeZone: string }>(
    'SELECT coalesce(next_zone, time_zone) AS "timeZone" FROM ami_tenant_zones WHERE tenant_id = $1',
    [tenantId],
  );
  return rows[0]?.timeZone === wanted ? OFF.timeZone : wanted;
}
