import type { StatementParts } from './source-statements.ts';

/** A piece of work in statements: `work.source`, `work.job_type`, and the three ways to ask for its targets. */
export interface WorkConditions {
  /** Of the source and job type of `work`. */
  readonly isOfType: string;
  /** Of the target `work.target_id`. */
  readonly hasTarget: string;
  /** Without a target. */
  readonly hasNone: string;
}

export const workConditions = (parts: StatementParts): WorkConditions => {
  const hasTargets = parts.fields.targetId !== null;
  return {
    isOfType: `${parts.equals('source', 'work.source')}
        and ${parts.equals('jobType', 'work.job_type')}`,
    hasTarget: hasTargets ? parts.equals('targetId', 'work.target_id') : 'false',
    hasNone: hasTargets ? `${parts.ref('targetId')} is null` : 'true',
  };
};
