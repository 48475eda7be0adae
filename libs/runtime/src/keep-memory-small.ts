import { setFlagsFromString } from 'node:v8';

/** How much garbage the old space may gather before it is collected, in per cent of what survived the last time. */
const heapGrowingPercent = 50;
/** How many times as large the space for new objects becomes when it fills up; 1 leaves it at its first size. */
const semiSpaceGrowthFactor = 1;

/**
 * Makes V8 collect garbage sooner, for the whole process and from now on. The earlier it is called, the more it brings:
 * new space that grew while modules were loaded does not shrink again, so best before anything large is imported.
 *
 * Why: by itself V8 lets the heap grow to several times what is in use before it looks for garbage, and gives little of
 * that back. Of a worker's resident memory after a storm, most is garbage that nobody has asked it to collect.
 *
 * What it costs: about a third more processor time while a storm lasts (3.4 s became 4.5 s in the notifier, for 20,000
 * failures), nothing worth measuring at rest. What it brings: called first of all, a peak of 113 MB instead of 215–241
 * MB in the detector and of 178 MB instead of 354–379 MB in the notifier; called after the program's
 * modules, 160 MB and 195–213 MB (`npm run bench -- storm`). Less than 50 per cent brings nothing more.
 *
 * It is no limit: when more memory is in use, the heap still grows up to V8's own bound, so that it can never end a
 * process that would have lived without it. A flag unknown to a V8 of another age is only complained about on standard
 * error.
 */
export const keepMemorySmall = (): void => {
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`);
  setFlagsFromString(`--semi-space-growth-factor=${semiSpaceGrowthFactor}`);
};
