import { runMain } from '@tocsin/runtime';
import { runDetector } from './run-detector.ts';

await runMain({ name: 'detector', start: runDetector });
