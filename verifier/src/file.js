// From the bytes of an evidence file, a checkpoint or a genesis document to what they say (docs/FORMAT.md, section 5, "Reading").

import { SUITES } from './hash.js';
import { Refused, parse } from './json.js';
import { read, variantsOf } from './schema.js';

const MAX_BYTES = 1_048_576;
const VERSION = 1;

/** A file of a kind that this verifier does not know: it does not judge it. */
export class Unknown extends Error {
  constructor(missing, what) {
    super(what);
    this.missing = missing;
  }
}

/**
 * The file, with chain and suite put back into the head and the headers.
 * @throws {Refused | Unknown}
 */
export function readEvidence(bytes) {
  const json = bounded(bytes, 'probata-evidence');
  const changes = at(json, 'sets');
  known(json, 'the evidence file', [
    ['the submission', at(json, 'submission', 'head')],
    ['the record', at(json, 'record')],
    ['a header', at(json, 'header')],
    ['a header', at(json, 'anchor', 'header')],
    ...(Array.isArray(changes) ? changes : []).map((change) => ['a header', at(change, 'header')]),
  ]);
  const body = at(json, 'record', 'body');
  if (body instanceof Map && body.size === 1) {
    const [name] = body.keys();
    if (!variantsOf('Body').has(name)) throw new Unknown('record_type', 'an unknown record type');
  }
  const file = read('EvidenceFile', json);
  const whole = wholes(file);
  file.submission.head = whole.head(file.submission.head);
  file.header = whole.header(file.header);
  file.seal = seal(file.seal);
  if (file.anchor) file.anchor = whole.sealed(file.anchor);
  file.sets = file.sets.map(whole.sealed);
  return file;
}

/** @throws {Refused | Unknown} */
export function readCheckpoint(bytes) {
  const json = bounded(bytes, 'probata-checkpoint');
  const changes = at(json, 'sets');
  known(json, 'the checkpoint', [
    ['a header', at(json, 'header')],
    ...(Array.isArray(changes) ? changes : []).map((change) => ['a header', at(change, 'header')]),
  ]);
  const file = read('Checkpoint', json);
  const whole = wholes(file);
  return { ...file, header: whole.header(file.header), seal: seal(file.seal), sets: file.sets.map(whole.sealed) };
}

function bounded(bytes, format) {
  if (bytes.length > MAX_BYTES) throw new Refused(`it has ${bytes.length} bytes, ${MAX_BYTES} are allowed`);
  const json = parse(bytes);
  if (at(json, 'format') !== format) throw new Refused('its format is another one');
  return json;
}

/** A value in a JSON value, if there are objects all the way. */
function at(json, ...names) {
  return names.reduce((value, name) => (value instanceof Map ? value.get(name) : undefined), json);
}

function known(json, what, parts) {
  const version = ([name, part]) => {
    const value = at(part, 'version');
    if (Number.isInteger(value) && value >= 0 && value !== VERSION) {
      throw new Unknown('algorithm', `unknown version ${value} of ${name}`);
    }
  };
  version([what, json]);
  const suite = at(json, 'suite');
  if (typeof suite === 'string' && !SUITES.has(suite)) throw new Unknown('algorithm', 'an unknown suite');
  parts.forEach(version);
}

/** What puts the file's suite and chain back where they belong. */
function wholes({ suite, chain }) {
  const header = ({ version, ...rest }) => ({ version, suite, chain, ...rest });
  return { header, head: header, sealed: (one) => ({ ...one, header: header(one.header), seal: seal(one.seal) }) };
}

function seal({ view, validators, signatures }) {
  if (validators.length !== signatures.length) throw new Refused('a seal has as many signatures as validators');
  return { view, votes: validators.map((validator, index) => ({ validator, signature: signatures[index] })) };
}
