// What two readers of JSON might take differently is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refused, parse } from '../src/json.js';

const text = (string) => parse(new TextEncoder().encode(string));

test('JSON is read', () => {
  assert.deepEqual(text(' {"a" : [1, -2, true, null, "\\u8d37\\n\\ud83d\\ude00"]}\n'), new Map([['a', [1, -2, true, null, '贷\n😀']]]));
  assert.deepEqual(text('[[],{}]'), [[], new Map()]);
  assert.equal(text(`${'['.repeat(32)}${']'.repeat(32)}`).length, 1);
  assert.equal(text(JSON.stringify('['.repeat(99))).length, 99);
});

const refused = [
  '', ' ', '{', '{"a"}', '{"a":1,}', '[1,]', '[,1]', '1 2', '[1]x', '{"a":1}{', "'a'", 'nul', 'NaN', 'Infinity', '+1', '.5', '-', '-0', '00', '01',
  '1.0', '1e3', '9007199254740992', '-9007199254740992', '123456789012345678901234567890', '"', '"\\x"', '"\\u12"', '"\\ud800"', '"\\udc00\\ud800"',
  '"\u0000"', '"a\nb"', '{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '\ufeff{}', `${'['.repeat(33)}${']'.repeat(33)}`, '{"a":1 "b":2}',
];

for (const one of refused) {
  test(`${JSON.stringify(one).slice(0, 40)} is refused`, () => assert.throws(() => text(one), Refused));
}

test('bytes that are not UTF-8 are refused', () => {
  for (const bytes of [[0x22, 0xff, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]) {
    assert.throws(() => parse(new Uint8Array(bytes)), Refused);
  }
});

test('names mean nothing to the language', () => {
  const read = text('{"__proto__":{"x":1},"constructor":2}');
  assert.equal(read.get('constructor'), 2);
  assert.equal({}.x, undefined);
});
