/**
 * The apple-catalog example: a job system as somebody else would have written it (a source server, a scheduler and a
 * worker, none of which knows of Tocsin), and `start`, which runs Tocsin beside it and tells the story on the terminal.
 *
 * The programs are `source-server.ts`, `scheduler.ts`, `worker.ts` and `start.ts`. What is exported here is what a
 * test or a demonstration needs to run the same parts itself.
 */
export { catalogTargets, type CatalogTarget } from './catalog-targets.ts';
export { enqueueChainRun, type ChainRun } from './scheduler/enqueue-chain-run.ts';
export { startCatalogueServer, type CatalogueServer } from './source/catalogue-server.ts';
export { sourceModes, type SourceMode } from './source/source-modes.ts';
export { workLoop, type WorkerSettings } from './worker/work-loop.ts';
