import { runMain } from '@tocsin/runtime';
import { runNotifier } from './run-notifier.ts';

await runMain({ name: 'notifier', start: runNotifier });
