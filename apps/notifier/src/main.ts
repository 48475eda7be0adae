// An entry of its own and the only static import: the space for new objects does not shrink again once the rest is loaded.
import { keepMemorySmall } from '@tocsin/runtime/keep-memory-small';

keepMemorySmall();
const { runMain } = await import('@tocsin/runtime');
const { runNotifier } = await import('./run-notifier.ts');

await runMain({ name: 'notifier', start: runNotifier });
