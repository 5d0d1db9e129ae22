// The checks of docs/FORMAT.md, section 5, in their order. Each answers `{ status, missing, why }`; a failed one stops no other.

import { sha256 } from '@noble/hashes/sha2.js';
import { ZERO, hash, leaf, ofValue, pathFails, presenceFails, signatureHolds } from './hash.js';
import { definitionOf, encode, hex, integer, unhex, utf8 } from './schema.js';
import { answer, headerHash, setHash } from './sets.js';
import { sm3 } from './sm3.js';

const RECORDS_PER_SUBMISSION = 1_024;

const absent = (missing, why) => ({ status: 'not_present', missing, why });
const notRun = (missing, why) => ({ status: 'not_run', missing, why });

/** What all checks look at, computed once. */
export function facts(file) {
  const { head } = file.submission;
  const record = hash('probata.record', head.chain, encode('InstitutionId', head.institution), encode('Record', file.record));
  const anchor = file.anchor ?? { header: file.header, seal: file.seal };
  return {
    record,
    submission: ofValue('probata.submission', 'SubmissionHead', head),
    header: headerHash(file.header),
    anchor,
    accepted: typeof file.outcome === 'object' && 'accepted' in file.outcome,
  };
}

/** Every check of the table that does not come from the caller: `[level, name, answer]`. */
export function ofFile(file, it, sets, genesis) {
  const own = { header: file.header, seal: file.seal };
  return [
    ['E1', 'file_is_well_formed', answer(null)],
    ['E1', 'submission_signature', submissionSignature(file, it)],
    ['E1', 'record_in_submission', recordInSubmission(file, it)],
    ['E2', 'submission_in_block', submissionInBlock(file, it)],
    ['E2', 'outcome_in_block', outcomeInBlock(file, it)],
    ['E2', 'outcome_is_accepted', answer(it.accepted ? null : 'the chain rejected the record')],
    ['E2', 'sealed_before_expiry', answer(file.header.time <= file.submission.head.expires_at ? null : 'sealed too late')],
    ['E2', 'block_seal', sets.sealed(own)],
    ['E3', 'anchor_seal', sets.sealed(it.anchor)],
    ['E3', 'history_path', historyPath(file, it)],
    ['E4', 'chain_is_the_genesis', chainIsTheGenesis(file, genesis)],
    ['E4', 'validators_follow_from_genesis', validatorsFollow(file, it, sets)],
    ['E5', 'flow_state', flowState(file, it)],
    ['E5', 'institution_state', institutionState(file, it)],
    ['E5', 'institution_active_at_height', institutionActive(file)],
    ['E5', 'key_valid_at_height', keyValid(file, sets)],
    ['E5', 'event_history_complete', eventHistory(file, it)],
  ];
}

function submissionSignature(file, it) {
  const { head, signature } = file.submission;
  return answer(signatureHolds(head.key, it.submission, signature) ? null : 'the signature is not valid');
}

function recordInSubmission(file, it) {
  const { head } = file.submission;
  if (head.record_count > RECORDS_PER_SUBMISSION) return answer('more records than a submission may hold');
  const { index, path } = file.record_place;
  const tree = 'probata.records';
  return answer(pathFails(tree, { index, size: head.record_count }, leaf(tree, it.record), path, head.records_root));
}

function submissionInBlock(file, it) {
  const { place, signature } = file.submission;
  const { submission_count: size, submissions_root: root } = file.header;
  const tree = 'probata.submissions';
  return answer(pathFails(tree, { index: place.index, size }, leaf(tree, unhex(it.submission + signature)), place.path, root));
}

function outcomeInBlock(file, it) {
  const { index, path } = file.outcome_place;
  const { record_count: size, outcomes_root: root } = file.header;
  const tree = 'probata.outcomes';
  const bytes = encode('OutcomeLeaf', { record: it.record, submission: it.submission, outcome: file.outcome });
  return answer(pathFails(tree, { index, size }, leaf(tree, bytes), path, root));
}

function historyPath(file, it) {
  if (!file.anchor) return answer(null);
  const { header, history_path: path } = file.anchor;
  return answer(inHistory(it.header, file.header.height, header, path));
}

function inHistory(headerHash, height, later, path) {
  const tree = 'probata.history';
  return pathFails(tree, { index: height, size: later.height }, leaf(tree, headerHash), path, later.history_root);
}

function chainIsTheGenesis(file, genesis) {
  if (!genesis) return notRun('genesis', 'no genesis document was given');
  const same = genesis.chain === file.chain && genesis.suite === file.suite;
  return answer(same ? null : `the genesis is of chain ${genesis.chain}`);
}

function validatorsFollow(file, it, sets) {
  if (sets.broken) return answer(sets.broken.why);
  const end = it.anchor.header.height;
  for (const header of [file.header, it.anchor.header]) {
    const named = [[header.height, header.validators]];
    if (header.height < end) named.push([Math.min(header.height + 1, Number.MAX_SAFE_INTEGER), header.next_validators]);
    for (const [height, got] of named) {
      const { set, missing, why, failed } = sets.inForce(height);
      if (missing) return notRun(missing, why);
      if (failed) return answer(failed);
      if (setHash(set) !== got) return answer(`for height ${height} the genesis leads to another set than ${got}`);
    }
  }
  return answer(null);
}

// ---------------------------------------------------------------- the state at the anchor

const NO_STATE = absent('proof', 'the file shows no state at the anchor');

function inState(file, it, key, value, path) {
  const keyHash = ofValue('probata.state-key', 'StateKey', key);
  return presenceFails(path, keyHash, ofValue('probata.state-value', 'StateValue', value), it.anchor.header.state_root);
}

function flowState(file, it) {
  if (!file.state) return NO_STATE;
  const { value, path } = file.state.flow;
  const why = inState(file, it, { flow: file.record.flow }, { flow: value }, path);
  if (why || !it.accepted) return answer(why);
  const mine = value.submitters.find((one) => one.institution === file.submission.head.institution);
  const holds = mine && (mine.seq > file.record.seq || (mine.seq === file.record.seq && mine.last === it.record));
  return answer(holds ? null : 'the flow does not hold the record');
}

function institutionState(file, it) {
  if (!file.state) return NO_STATE;
  const { value, path } = file.state.institution;
  return answer(inState(file, it, { institution: file.submission.head.institution }, { institution: value }, path));
}

function institutionActive(file) {
  if (!file.state) return NO_STATE;
  const { admitted_at: from, suspended_at: until } = file.state.institution.value;
  const { height } = file.header;
  return answer(from <= height && (until === null || height < until) ? null : 'the institution could not submit then');
}

function keyValid(file, sets) {
  if (!file.state) return NO_STATE;
  const { height } = file.header;
  const { head } = file.submission;
  const valid = file.state.institution.value.keys.some(
    ({ key, valid_from: from, revoked_at: until }) =>
      key === head.key && from <= height && (until === null || height < until),
  );
  if (valid || !('fault' in file.record.body)) return answer(valid ? null : 'the key was not valid then');
  const { set, missing, why, failed } = sets.inForce(height);
  if (missing) return notRun(missing, why);
  if (failed) return answer(failed);
  const votes = set.some(({ key, institution }) => key === head.key && institution === head.institution);
  return answer(votes ? null : 'the key neither signed nor voted for the institution then');
}

function eventHistory(file, it) {
  if (!file.state) return file.events ? answer('the file lists events, and no state that proves the list') : NO_STATE;
  if (!file.events) return absent('proof', 'the file does not list the events of the flow');
  const { count, head } = file.state.flow.value;
  const led = file.events.reduce((before, event) => hash('probata.flow', before, event), ZERO);
  if (file.events.length !== count || led !== head) return answer('the events listed are not those of the flow');
  return answer(!it.accepted || file.events.includes(it.record) ? null : 'the record is not among the events');
}

// ---------------------------------------------------------------- what the caller brings

/** The same, of what the caller brings and of what the holder shows. */
export function brought(file, it, sets, { record, asOf, documents = [], second, checkpoint }) {
  const checks = [];
  if (record) checks.push([null, 'record_is_the_one_asked_for', answer(it.record === record ? null : `it is ${it.record}`)]);
  if (asOf !== undefined && asOf !== null) {
    const late = file.header.time > asOf;
    checks.push([null, 'recorded_by_as_of', late ? absent('record', 'it was sealed later') : answer(null)]);
  }
  checks.push(...documentChecks(file, documents));
  checks.push(...disclosureChecks(file));
  if (second) checks.push([null, 'second_source', secondSource(file, it, sets, second)]);
  if (checkpoint) checks.push(['E4', 'agrees_with_checkpoint', withCheckpoint(file, it, sets, checkpoint)]);
  return checks;
}

/** SHA-256, SM3 and length of bytes. */
export const digests = (bytes) => ({ sha256: hex(sha256(bytes)), sm3: sm3(bytes), length: bytes.length });

function documentChecks(file, documents) {
  const bound = file.record.documents;
  const matches = (given, document) => ['sha256', 'sm3', 'length'].every((part) => given[part] === document[part]);
  const checks = [];
  const found = new Set();
  for (const { name, bytes, digests: known } of documents) {
    const given = known ?? digests(bytes);
    bound.forEach((document, index) => matches(given, document) && found.add(index));
    const holds = bound.some((document) => matches(given, document));
    checks.push([null, `document:${name}`, answer(holds ? null : 'it is not a document of the record')]);
  }
  bound.forEach((document, index) => {
    if (found.has(index)) return;
    const name = disclosedName(file, index, document) ?? `#${index}`;
    checks.push([null, `document:${name}`, absent('document', 'it was not given')]);
  });
  return checks;
}

function disclosedName(file, index, document) {
  const field = `documents.${index}.name`;
  const shown = file.disclosures.find((one) => one.field === field && commitment(one) === document.name);
  return shown && 'text' in shown.value ? shown.value.text : undefined;
}

function commitment({ field, salt, value }) {
  const bytes = 'text' in value ? utf8(value.text) : unhex(value.hex);
  const name = utf8(field);
  return hash('probata.commitment', integer(name.length, 8), name, salt, bytes);
}

function disclosureChecks(file) {
  const commitments = commitmentsOf(file.record);
  return file.disclosures.map((one) => {
    const bound = commitments.get(one.field);
    const why = bound === undefined ? 'the record commits to no such field' : bound === commitment(one) ? null : 'it opens another commitment';
    return [null, `disclosure:${one.field}`, answer(why)];
  });
}

/** Every commitment of a record by its field. */
function commitmentsOf(record) {
  const found = new Map();
  const [[variant, body]] = Object.entries(record.body);
  collect(definitionOf('Body').variants.get(variant).holds, body, [], found);
  record.documents.forEach((document, index) => found.set(`documents.${index}.name`, document.name));
  return found;
}

function collect(type, value, path, found) {
  if (value === null) return;
  const deeper = (of, held, step) => collect(of, held, [...path, step], found);
  switch (type.kind) {
    case 'option': collect(type.of, value, path, found); break;
    case 'list': case 'array': value.forEach((item, at) => deeper(type.of, item, at)); break;
    case 'struct': for (const [name, of] of type.struct) deeper(of, value[name], name); break;
    case 'name': {
      if (type.name === 'Commitment') found.set(path.join('.'), value);
      const definition = definitionOf(type.name);
      if (definition?.struct) for (const [name, of] of definition.struct) deeper(of, value[name], name);
      if (definition?.variants && typeof value === 'object') {
        const [[variant, held]] = Object.entries(value);
        collect(definition.variants.get(variant).holds, held, [...path, variant], found);
      }
      break;
    }
    default:
  }
}

function secondSource(file, it, sets, second) {
  const { status, missing, why } = sets.sealed(second);
  if (status === 'not_run') return notRun(missing, why);
  if (second.header.chain !== file.chain) return notRun('proof', 'it is of another chain');
  if (status === 'failed') return notRun('proof', why);
  const ours = [file.header, it.anchor.header].find(({ height }) => height === second.header.height);
  if (!ours) return notRun('proof', 'the file shows no header of that height');
  return answer(headerHash(ours) === headerHash(second.header) ? null : 'it shows another header of that height');
}

function withCheckpoint(file, it, sets, checkpoint) {
  const pinned = checkpoint.header;
  const anchor = it.anchor.header;
  if (checkpoint.chain !== file.chain) return answer('it is of another chain');
  const shown = [file.header, anchor, ...file.sets.map(({ header }) => header)];
  if (shown.some((header) => header.height === pinned.height && headerHash(header) !== headerHash(pinned))) {
    return answer('the file shows another header of its height');
  }
  if (anchor.height <= pinned.height) return linked(file, pinned, anchor) ?? answer(null);
  for (const [height, named] of [[pinned.height, pinned.validators], [pinned.height + 1, pinned.next_validators]]) {
    const { set, missing, why, failed } = sets.inForce(height);
    if (missing) return notRun(missing, why);
    if (failed) return answer(failed);
    if (setHash(set) !== named) return answer(`it names another set for height ${height} than the file leads to`);
  }
  const goesOn = linked(file, anchor, pinned);
  if (goesOn) return goesOn;
  return (file.header.height <= pinned.height && linked(file, pinned, file.header)) || answer(null);
}

/** Why the history of one header does not hold another, earlier one; null if it does. */
function linked(file, later, earlier) {
  if (later.height === earlier.height) return null;
  const link = file.links.find(({ of, size }) => of === earlier.height && size === later.height);
  if (!link) return absent('checkpoint', `no link of height ${earlier.height} to height ${later.height}`);
  const why = inHistory(headerHash(earlier), earlier.height, later, link.path);
  return why ? answer(why) : null;
}

/** Two sealed headers of one height that differ, or null. */
export function fork(file, sets, second) {
  const shown = [{ header: file.header, seal: file.seal }, ...(file.anchor ? [file.anchor] : []), ...file.sets];
  const all = second ? [...shown, second] : shown;
  const valid = all.filter((one) => one.header.chain === file.chain && sets.sealed(one).status === 'passed');
  const byHeight = new Map();
  for (const one of valid) {
    const other = byHeight.get(one.header.height);
    if (other && headerHash(other.header) !== headerHash(one.header)) return [other, one];
    if (!other) byHeight.set(one.header.height, one);
  }
  return null;
}
