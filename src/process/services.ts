import { type AutoModeService, createAutoModeService } from '../automatic/autoMode.js';
import { createTenantClock } from '../automatic/tenantClock.js';
import { type BackfillService, createBackfillService } from '../backfill/backfill.js';
import { createEventService, type EventService } from '../events/events.js';
import { createReadsService, type ReadsService } from '../exports/readsPage.js';
import { createExportService, type ExportService } from '../exports/service.js';
import { createImportService, type ImportService } from '../imports/imports.js';
import { createMappingService, type MappingService } from '../imports/mappings.js';
import { createUploadService, type UploadService } from '../imports/uploads.js';
import { createKpiService, type KpiService } from '../kpi/quickcheck.js';
import { createSeriesService, type SeriesService } from '../kpi/series.js';
import { createZoneService, type ZoneService } from '../kpi/zones.js';
import { type Admission, createAdmission } from '../publishing/admission.js';
import { createPublishService, type PublishService } from '../publishing/publish.js';
import { createPublishPlanner, type PublishPlanner } from '../publishing/publishPlanner.js';
import { createSchemaService, type SchemaService } from '../schema/schemaService.js';
import { createStatusService, type StatusService } from '../status/status.js';
import { createVeeService, type VeeService } from '../vee/vee.js';
import type { Context } from './context.js';

/** What the routes ask: one service per capability. */
export interface Services {
  publish: PublishService;
  auto: AutoModeService;
  backfill: BackfillService;
  imports: ImportService;
  uploads: UploadService;
  mappings: MappingService;
  events: EventService;
  kpi: KpiService;
  series: SeriesService;
  zones: ZoneService;
  exports: ExportService;
  reads: ReadsService;
  status: StatusService;
  schema: SchemaService;
  vee: VeeService;
}

/** What both kinds of process publish by: the planner decides what a publish is, admission takes it on. */
export interface Publishing {
  planner: PublishPlanner;
  admission: Admission;
}

/**
 * @param onEnqueueFailed told when a publish was accepted but its jobs did not reach the queue; the upkeep adds them.
 */
export function createPublishing(
  { config, database, queue, schema }: Context,
  onEnqueueFailed: (error: Error) => void,
): Publishing {
  const { maxReadsPerSecond } = config;
  return {
    planner: createPublishPlanner({ database, schema }),
    admission: createAdmission({ database, queue, maxReadsPerSecond, onEnqueueFailed }),
  };
}

/** Files that are sent to the API; they end with the context. */
function openUploads(context: Context, imports: ImportService, now: () => Date): UploadService {
  const { config, database, files = database, schema, log } = context;
  const { importFolder: folder, readsRetentionDays } = config;
  const uploads = createUploadService({
    files,
    database,
    schema,
    imports,
    folder,
    readsRetentionDays,
    log,
    now,
  });
  context.beforeClose.push(uploads.stop);
  return uploads;
}

/** The services over a context; `now` is the wall clock but in tests. */
export function createServices(context: Context, now: () => Date): Services {
  const { config, database, queue, schema, log } = context;
  const { planner, admission } = createPublishing(context, (error) =>
    log.warn({ reason: error.message }, 'accepted, to be enqueued by the upkeep'),
  );
  const clock = createTenantClock(database, now);
  const { maxReadsPerSecond, readsRetentionDays } = config;
  const common = { database, planner, maxReadsPerSecond, readsRetentionDays, now };
  const imports = createImportService({ database, maxReadsPerSecond });
  return {
    publish: createPublishService({ ...common, admission }),
    auto: createAutoModeService({ ...common, queue, ticks: context.ticks }),
    backfill: createBackfillService(common),
    imports,
    uploads: openUploads(context, imports, now),
    mappings: createMappingService(database),
    events: createEventService({ database, admission, registry: schema.registry, readsRetentionDays, clock }),
    kpi: createKpiService(context.reads.database, now, schema.kpiViews, clock, context.reads),
    series: createSeriesService(context.reads.database, context.reads),
    zones: createZoneService(database),
    exports: createExportService(database, now),
    reads: createReadsService(database),
    status: createStatusService(database, queue, clock, maxReadsPerSecond, context.clock, context.reads),
    schema: createSchemaService(database, schema),
    vee: createVeeService({ database, schema, readsRetentionDays, now }),
  };
}
