// Canonical bytes, digests and signatures are those of the vectors that the other verifier is tested with.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { format, schemaOf, target } from '../scripts/schema.mjs';
import { Genesis } from '../src/genesis.js';
import { hash, ofValue, signatureHolds } from '../src/hash.js';
import { parse } from '../src/json.js';
import { encode, hex, read, utf8 } from '../src/schema.js';
import { headerHash } from '../src/sets.js';
import { sm3 } from '../src/sm3.js';

const folder = new URL('../../tests/vectors/', import.meta.url);
const file = (name) => readFileSync(new URL(name, folder));
const vectors = (name) => parse(file(name)).get('vectors');
const typeOf = (form) => form.split('_').map((word) => word[0].toUpperCase() + word.slice(1)).join('');

// What the vectors hold that evidence does not: their types have no schema, or one that only nodes read.
const READ = new Set([
  'record', 'submission', 'outcome_leaf', 'proposal', 'header', 'seal', 'sealed_block', 'validator_set', 'state_key', 'state_value',
]);

test('the schema is that of the description', () => {
  assert.equal(readFileSync(target, 'utf8'), schemaOf(format()), 'run `npm run schema`');
});

for (const name of ['records.json', 'blocks.json', 'state.json', 'governance.json']) {
  test(`${name} has these bytes`, () => {
    let seen = 0;
    for (const vector of vectors(name)) {
      const [form, bytes] = [vector.get('form'), vector.get('bytes')];
      if (!READ.has(form)) continue;
      const value = read(typeOf(form), vector.get('value'));
      assert.equal(hex(encode(typeOf(form), value)), bytes, vector.get('name'));
      seen += 1;
    }
    assert.ok(seen > 4, `${seen} vectors`);
  });
}

test('digests are those of the vectors', () => {
  const genesis = Genesis.parse(file('genesis.json'));
  const pins = parse(file('pins.json'));
  assert.ok([...pins.values()].includes(genesis.chain), 'the chain id');
  const [submitter] = genesis.names.keys();
  for (const vector of vectors('records.json')) {
    const record = read('Record', vector.get('value'));
    const got = hash('probata.record', genesis.chain, encode('InstitutionId', submitter), encode('Record', record));
    assert.equal(got, vector.get('digest'));
  }
  for (const vector of vectors('blocks.json')) {
    const digest = vector.get('digest');
    if (vector.get('form') === 'header') assert.equal(headerHash(read('Header', vector.get('value'))), digest);
    if (vector.get('form') === 'validator_set') {
      assert.equal(ofValue('probata.validators', 'ValidatorSet', read('ValidatorSet', vector.get('value'))), digest);
    }
  }
  for (const vector of vectors('state.json')) {
    const [tag, type] = vector.get('form') === 'state_key' ? ['probata.state-key', 'StateKey'] : ['probata.state-value', 'StateValue'];
    assert.equal(ofValue(tag, type, read(type, vector.get('value'))), vector.get('digest'));
  }
});

test('crafted signatures have the verdicts of the one rule', () => {
  const expected = [false, false, true, true, true, true, false, false, false, false, false, false];
  const cases = JSON.parse(file('ed25519_speccheck.json'));
  assert.deepEqual(cases.map((one) => signatureHolds(one.pub_key, one.message, one.signature)), expected);
});

test('signatures of Wycheproof are valid where they say so', () => {
  let seen = 0;
  for (const group of JSON.parse(file('wycheproof_ed25519.json')).testGroups) {
    for (const one of group.tests) {
      assert.equal(signatureHolds(group.publicKey.pk, one.msg, one.sig), one.result === 'valid', `test ${one.tcId}`);
      seen += 1;
    }
  }
  assert.equal(seen, 151);
});

test('SM3 has the digests of the standard', () => {
  assert.equal(sm3(utf8('abc')), '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0');
  assert.equal(sm3(utf8('abcd'.repeat(16))), 'debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732');
  assert.equal(sm3(new Uint8Array()), '1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b');
});
