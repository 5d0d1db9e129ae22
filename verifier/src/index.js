// Checks a Probata evidence file: no network, no clock, nothing trusted but what the caller says it trusts.

import { brought, facts, fork, ofFile } from './checks.js';
import { Unknown, readCheckpoint, readEvidence } from './file.js';
import { Genesis } from './genesis.js';
import { Refused } from './json.js';
import { Sets } from './sets.js';
import { findings, level, verdict } from './verdict.js';

export { digests } from './checks.js';
export { readCheckpoint } from './file.js';
export { Genesis } from './genesis.js';
export { EXIT_CODES } from './verdict.js';

// The checks that every report lists, whether they could run or not, with their levels.
const TABLE = [
  ['E1', 'file_is_well_formed'], ['E1', 'submission_signature'], ['E1', 'record_in_submission'],
  ['E2', 'submission_in_block'], ['E2', 'outcome_in_block'], ['E2', 'outcome_is_accepted'], ['E2', 'sealed_before_expiry'],
  ['E2', 'block_seal'], ['E3', 'anchor_seal'], ['E3', 'history_path'], ['E4', 'chain_is_the_genesis'],
  ['E4', 'validators_follow_from_genesis'], ['E5', 'flow_state'], ['E5', 'institution_state'],
  ['E5', 'institution_active_at_height'], ['E5', 'key_valid_at_height'], ['E5', 'event_history_complete'],
];

/**
 * @param {object} request
 * @param {Uint8Array} request.evidence the file
 * @param {Genesis} [request.genesis] the genesis that the caller trusts
 * @param {{ name: string, bytes?: Uint8Array, digests?: object }[]} [request.documents]
 * @param {string} [request.record] the record that the file must be about
 * @param {number} [request.asOf] milliseconds since 1970
 * @param {{ header: object, seal: object }} [request.second] a sealed header that somebody else shows
 * @param {object} [request.checkpoint] a checkpoint that the caller keeps (see `readCheckpoint`)
 * @returns {{ verdict: string, level: string | null, checks: object[], findings: number[], fork: object[] | null, file: object | null, facts: object | null }}
 */
export function verify(request) {
  let file;
  try {
    file = readEvidence(request.evidence);
  } catch (error) {
    return unreadable(error, request.documents ?? []);
  }
  const genesis = request.genesis ?? null;
  const it = facts(file);
  const sets = new Sets({ chain: file.chain, sets: file.sets, end: it.anchor.header.height }, genesis);
  const answers = [...ofFile(file, it, sets, genesis), ...brought(file, it, sets, request)];
  const checks = answers.map(([of, predicate, result]) => ({ level: of, predicate, missing: null, why: null, ...result }));
  const forked = fork(file, sets, request.second);
  const numbers = findings(file, it, request.asOf);
  return { verdict: verdict(checks, forked, numbers), level: level(checks), checks, findings: numbers, fork: forked, file, facts: it };
}

function unreadable(error, documents) {
  let first;
  if (error instanceof Unknown) first = { status: 'not_run', missing: error.missing, why: error.message };
  else if (error instanceof Refused) first = { status: 'failed', missing: null, why: error.message };
  else throw error;
  const unread = { status: 'not_run', missing: 'proof', why: 'the file could not be read' };
  const checks = TABLE.map(([of, predicate], at) => ({ level: of, predicate, ...(at === 0 ? first : unread) }));
  for (const { name } of documents) checks.push({ level: null, predicate: `document:${name}`, ...unread });
  return { verdict: verdict(checks, null, []), level: level(checks), checks, findings: [], fork: null, file: null, facts: null };
}
