// Level, verdict and findings (docs/FORMAT.md, section 5, "Level, verdict, exit code").

export const LEVELS = ['E1', 'E2', 'E3', 'E4', 'E5'];
export const STATUS_NOT_SHOWN = 60_001;
export const STATUS_AFTER_AS_OF = 60_002;
export const NOT_IN_FORCE = 60_003;

const ENDED = new Set(['closed', 'released', 'expired']);

/** The numbers of the findings, in their order. */
export function findings(file, it, asOf) {
  const numbers = it.accepted ? [...file.outcome.accepted.findings] : [];
  const { time } = it.anchor.header;
  if (!file.state) numbers.push(STATUS_NOT_SHOWN);
  else if (ended(file.state.flow.value.object, it.record, time)) numbers.push(NOT_IN_FORCE);
  if (asOf !== undefined && asOf !== null && time > asOf) numbers.push(STATUS_AFTER_AS_OF);
  return numbers;
}

function ended(object, record, time) {
  if ('consent' in object) return !['granted', 'active'].includes(consentStatus(object.consent, time));
  if ('facility' in object) {
    const guarantee = object.facility.guarantees.find((one) => one.record === record);
    return guarantee !== undefined && ENDED.has(guarantee.status);
  }
  return false;
}

function consentStatus({ status, validity, valid_from: from }, time) {
  if (status !== 'active') return status;
  if (typeof validity === 'object' && 'until' in validity && validity.until <= time) return 'expired';
  return time < from ? 'granted' : 'active';
}

/** The highest level whose checks, and those of all levels before it, passed; null if none. */
export function level(checks) {
  let reached = null;
  for (const one of LEVELS) {
    if (checks.some((check) => check.level === one && check.status !== 'passed')) return reached;
    reached = one;
  }
  return reached;
}

export function verdict(checks, fork, numbers) {
  if (fork) return 'forked';
  if (checks.some((check) => check.status === 'failed')) return 'inconsistent';
  if (checks.some((check) => check.level !== 'E5' && check.status !== 'passed')) return 'indeterminate';
  return numbers.length > 0 ? 'consistent_with_findings' : 'consistent';
}

export const EXIT_CODES = { consistent: 0, consistent_with_findings: 0, inconsistent: 1, indeterminate: 2, forked: 3 };
