import { catalogTargets, isCatalogTarget, type CatalogTarget } from '../catalog-targets.ts';

/**
 * What the source does for one target:
 * - `healthy` sends the file.
 * - `unavailable` answers 503 with Retry-After.
 * - `corrupt` sends the file cut off half way, with a digest that agrees: the export broke, not the transfer.
 * - `slow` sends the file in small pieces over half a minute, so that there is a job to interrupt.
 */
export const sourceModes = ['healthy', 'unavailable', 'corrupt', 'slow'] as const;

/** One of the ways in which the source can serve a target. */
export type SourceMode = (typeof sourceModes)[number];

/** The mode of every target. */
export type SourceModes = Readonly<Record<CatalogTarget, SourceMode>>;

/** Every target healthy: how the source starts. */
export const allHealthy: SourceModes = { albums: 'healthy', songs: 'healthy', artists: 'healthy' };

/**
 * Reads the body of `POST /mode`, for example `{"songs":"unavailable"}`, and gives the modes after it. Targets that the
 * body does not name keep their mode.
 *
 * @throws Error naming the wrong key or value and what is allowed.
 */
export function changeModes(current: SourceModes, body: string): SourceModes {
  let change: unknown;
  try {
    change = JSON.parse(body);
  } catch (error) {
    throw new Error(`the body is not JSON; send for example {"songs":"unavailable"}`, { cause: error });
  }
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw new Error(`the body must be an object; send for example {"songs":"unavailable"}`);
  }
  const next: Record<CatalogTarget, SourceMode> = { ...current };
  for (const [target, mode] of Object.entries(change)) {
    if (!isCatalogTarget(target)) throw new Error(`"${target}" is not one of ${catalogTargets.join(', ')}`);
    if (!isSourceMode(mode)) throw new Error(`the mode of ${target} must be one of ${sourceModes.join(', ')}`);
    next[target] = mode;
  }
  return next;
}

function isSourceMode(value: unknown): value is SourceMode {
  return sourceModes.some((mode) => mode === value);
}
