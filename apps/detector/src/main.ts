// An entry of its own and the only static import: the space for new objects does not shrink again once the rest is loaded.
import { keepMemorySmall } from '@tocsin/runtime/keep-memory-small';

keepMemorySmall();
const { runMain } = await import('@tocsin/runtime');
const { runDetector } = await import('./run-detector.ts');

await runMain({ name: 'detector', start: runDetector });
