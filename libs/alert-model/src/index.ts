/**
 * The domain of Tocsin: signals, events, the lifecycle of an alert and of a digest, and every decision about them.
 * Pure: no clock, no randomness, no I/O. Callers pass the time and identifiers in.
 */
export { AlertId, DeliveryId, DigestId, Instant, OutcomeId, alertStream, digestStream } from './ids.ts';
export {
  ConditionEndedSignal,
  EndCause,
  FailureKind,
  FailureSignal,
  JobDetails,
  JobRepairedSignal,
  RunContext,
  Signal,
  SignalBatch,
  Step,
  SuccessSignal,
  errorCharsMax,
  isCondition,
  nameCharsMax,
  runStepsMax,
  signalsPerJobMax,
  stepIn,
  stepName,
} from './signal.ts';
export type { ConditionKind } from './signal.ts';
export { orderSignals } from './order-signals.ts';
export {
  FrozenChain,
  FrozenRoute,
  Severity,
  TimeWindow,
  severityRank,
  stormGatherMaxMs,
  stormGatherMs,
  stormShareKeysMin,
} from './policy.ts';
export type {
  ChainPolicy,
  EscalationLevel,
  FlapPolicy,
  FrozenEscalation,
  Hours,
  Match,
  PartialLimit,
  Policy,
  RoutePolicy,
  Rule,
  SchedulePolicy,
  StormPolicy,
  StuckAction,
  StuckLimit,
  Threshold,
} from './policy.ts';
export {
  DigestPurpose,
  Lease,
  Opening,
  ResolutionReason,
  SilenceEnd,
  eventSchemaVersion,
  parseEvent,
} from './event.ts';
export type { AlertEvent, AlertEventType, DigestEvent, DigestEventType, DomainEvent, EventNamed } from './event.ts';
export { InvariantError } from './invariant-error.ts';
export { alertModelVersion, batchesMax, causesMax, owedMax, runsMax, samplesPerCauseMax } from './alert-state.ts';
export type {
  AlertState,
  Batch,
  Cause,
  Development,
  LifecycleState,
  Mute,
  NextAction,
  Suspicion,
  Told,
} from './alert-state.ts';
export { evolveDigest } from './digest-state.ts';
export type { DigestState } from './digest-state.ts';
export {
  alertIdsPerItemMax,
  incidentAlertsMin,
  incidentCausesMax,
  incidentJobTypesMax,
  itemsPerMessageMax,
  jobsPerItemMax,
  messageErrorCharsMax,
} from './digest-message.ts';
export type {
  DigestMessage,
  ItemKind,
  MessageCause,
  MessageDevelopment,
  MessageIncident,
  MessageItem,
  MessageJob,
} from './digest-message.ts';
export {
  attemptsMax,
  attemptsWithFallbackMax,
  nextDeliveryStep,
  retryAfterMaxMs,
  retryFirstMs,
  retryMaxMs,
  unauthorizedRetryMs,
  unknownRetryMs,
} from './delivery.ts';
export type { DeliveryOutcome, DeliveryReason, DeliveryStep } from './delivery.ts';
export { redact } from './redact.ts';
export { causeLine, cleanText, shorten, toErrorText } from './error-text.ts';
export { signatureOf, signatureTemplate } from './signature.ts';
export { addMs, compareInstants, isAfter, msBetween } from './instant.ts';
export { findTransition, machineTransitions } from './machine.ts';
export type { MachineAction, MachineTransition, Waiting } from './machine.ts';
export { renderMachine, renderMachinePage } from './render-machine.ts';
export { evolveAlert, waitingOf } from './evolve-alert.ts';
export { escalationStep, nextEscalations } from './escalation.ts';
export type { EscalationStep } from './escalation.ts';
export { nextActionOf } from './next-action.ts';
export { isSilenced } from './may-tell.ts';
export { globMatches, matches } from './match.ts';
export type { Subject } from './match.ts';
export { classifyFailure, keysOfSuccess, unnamedChain } from './classify.ts';
export type { Classification, Ignored } from './classify.ts';
export { limitsFor, partialDefault } from './rule-limits.ts';
export type { RuleLimits } from './rule-limits.ts';
export { judgeThreshold, thresholdNote } from './threshold.ts';
export type { ThresholdVerdict } from './threshold.ts';
export { recoveryOf } from './recovery.ts';
export { canaryChannel, canaryRoute, canaryTable, isCanary, ownSource } from './self-alerts.ts';
export { decideFailure, decideNotificationFailed, decideNotified, decideResolve, decideSuccess } from './decide.ts';
export type { FailureContext } from './decide.ts';
export { decideAcknowledge, decideLapse, decideUnacknowledge } from './decide-acknowledge.ts';
export { decideBounced } from './decide-bounced.ts';
export { decideEscalate } from './decide-escalate.ts';
export { decideSettle } from './decide-settle.ts';
export { decideSilence, decideUnsilence } from './decide-silence.ts';
export type { Silencing } from './decide-silence.ts';
export { decideRetraction } from './decide-retraction.ts';
export { decideRepair } from './decide-repair.ts';
export type { Decision } from './decision.ts';
export { effectsOf, joins } from './effects.ts';
export type { Effect, JoinDigest } from './effects.ts';
export { joinDigests } from './join-digests.ts';
export type { JoinContext, Joined, OpenDigest, Storms } from './join-digests.ts';
export { fragmentOf, openFragmentOf } from './digest-fragment.ts';
export type { Fragment } from './digest-fragment.ts';
export { planMessages, threadsPerDigestMax } from './plan-messages.ts';
export type { DigestToPlan, PlannedMessage } from './plan-messages.ts';
export type { PlannedCause, PlannedItem } from './fold-items.ts';
export { composeHeartbeat, composeMessage, fillUrl, sampleKey } from './compose-message.ts';
export type { Composition, Heartbeat, Sample } from './compose-message.ts';
export { forHumans } from './for-humans.ts';
export {
  beforeFirstFailure,
  developmentWords,
  isAboutRun,
  isConditionWord,
  isNoRow,
  isSuspected,
  jobOfDevelopment,
  jobsByKind,
  missingSteps,
  newsNoun,
  occurrenceNoun,
  wasWhat,
} from './kind-words.ts';
export { headlineCharsMax, subjectCharsMax } from './message-words.ts';
