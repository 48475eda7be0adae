import type { AdapterMapping } from './adapter-mapping.ts';
import { airflowDagRunMapping } from './adapters/airflow-dag-run-mapping.ts';
import { apalisMapping } from './adapters/apalis-mapping.ts';
import { backgroundJobsMapping } from './adapters/background-jobs-mapping.ts';
import { customMapping } from './adapters/custom-mapping.ts';
import { dataImportJobsMapping } from './adapters/data-import-jobs-mapping.ts';
import { delayedJobMapping } from './adapters/delayed-job-mapping.ts';
import { djangoTasksMapping } from './adapters/django-tasks-mapping.ts';
import { documentJobsMapping } from './adapters/document-jobs-mapping.ts';
import { goodJobMapping } from './adapters/good-job-mapping.ts';
import { graphileWorkerMapping } from './adapters/graphile-worker-mapping.ts';
import { obanMapping } from './adapters/oban-mapping.ts';
import { pgBossMapping } from './adapters/pg-boss-mapping.ts';
import { procrastinateMapping } from './adapters/procrastinate-mapping.ts';
import { queMapping } from './adapters/que-mapping.ts';
import { researchJobsMapping } from './adapters/research-jobs-mapping.ts';
import { riverMapping } from './adapters/river-mapping.ts';
import { scrapingSessionsMapping } from './adapters/scraping-sessions-mapping.ts';
import { solidQueueMapping } from './adapters/solid-queue-mapping.ts';

const mappings: readonly AdapterMapping[] = [
  researchJobsMapping,
  backgroundJobsMapping,
  documentJobsMapping,
  scrapingSessionsMapping,
  dataImportJobsMapping,
  customMapping,
  pgBossMapping,
  graphileWorkerMapping,
  obanMapping,
  riverMapping,
  goodJobMapping,
  solidQueueMapping,
  apalisMapping,
  procrastinateMapping,
  queMapping,
  delayedJobMapping,
  djangoTasksMapping,
  airflowDagRunMapping,
];

/** Names that `jobs[].adapter` may have. */
export const adapterNames: readonly string[] = mappings.map((mapping) => mapping.adapter);

/** The mapping of that name; undefined when there is none. */
export const findMapping = (adapter: string): AdapterMapping | undefined =>
  mappings.find((mapping) => mapping.adapter === adapter);
