/** The three parts of the catalogue, in the order in which a chain run refreshes them. */
export const catalogTargets = ['albums', 'songs', 'artists'] as const;

/** One part of the catalogue; the `target_id` of a `refresh_catalog` job. */
export type CatalogTarget = (typeof catalogTargets)[number];

/** Whether a text names one of the three parts of the catalogue. */
export function isCatalogTarget(text: string | null | undefined): text is CatalogTarget {
  return catalogTargets.some((target) => target === text);
}
