// The suite blake3-ed25519 (docs/FORMAT.md, section 1): hashes parted by tags, and the one rule for signatures.

import * as ed25519 from '@noble/ed25519';
import { blake3 } from '@noble/hashes/blake3.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, encode, hex, integer, unhex, utf8 } from './schema.js';

ed25519.hashes.sha512 = sha512;

export const SUITES = new Set(['blake3-ed25519']);
export const ZERO = '00'.repeat(32);

/** `hash(tag, parts)`, in hex; parts are bytes, or hex. */
export function hash(tag, ...parts) {
  return hex(blake3(concat([...prefix(tag), ...parts.map(bytes)])));
}

const bytes = (part) => (typeof part === 'string' ? unhex(part) : part);
const prefix = (tag) => [integer(tag.length, 8), utf8(tag)];

/** BLAKE3 in keyed mode over two digests. */
const pair = (key, left, right) => hex(blake3(concat([unhex(left), unhex(right)]), { key: unhex(key) }));

const LEAF = hash('probata.state', new Uint8Array([0]));
const NODE = hash('probata.state', new Uint8Array([1]));
const EMPTY = hash('probata.state');

export const ofValue = (tag, type, value) => hash(tag, encode(type, value));

/** Whether `(R, s)` by a key over a digest is valid: canonical encodings, no key of small order, the equation with the factor 8. */
export function signatureHolds(key, digest, signature) {
  try {
    return ed25519.verify(unhex(signature), unhex(digest), unhex(key), { zip215: false });
  } catch {
    return false;
  }
}

// ---------------------------------------------------------------- Merkle trees

export const leaf = (tag, data) => hash(tag, new Uint8Array([0]), data);
const inner = (tag, left, right) => hash(tag, new Uint8Array([1]), left, right);

/** Why a path does not lead from a leaf digest to a root; null if it does. */
export function pathFails(tag, { index, size }, leafDigest, path, root) {
  if (index >= size) return `index ${index} is outside a tree of ${size} leaves`;
  let [at, last, node, used] = [index, size - 1, leafDigest, 0];
  while (last > 0) {
    const left = at % 2 === 1;
    if (left || at < last) {
      if (used === path.length) return 'the path is too short';
      node = left ? inner(tag, path[used], node) : inner(tag, node, path[used]);
      used += 1;
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  if (used !== path.length) return 'the path is too long';
  return node === root ? null : `the path leads to ${node}, not to ${root}`;
}

// ---------------------------------------------------------------- the sparse tree

const bitOf = (key, depth) => (Number.parseInt(key[Math.floor(depth / 4)], 16) >> (3 - (depth % 4))) & 1;

function climb(key, end, siblings) {
  return siblings.reduce(
    (below, sibling, up) =>
      bitOf(key, siblings.length - 1 - up) ? pair(NODE, sibling, below) : pair(NODE, below, sibling),
    end,
  );
}

/** Why a path does not show that a key holds a value; null if it does. */
export function presenceFails(path, key, valueHash, root) {
  if (path.end !== 'present') return 'the path shows that the key is absent';
  const got = climb(key, pair(LEAF, key, valueHash), path.siblings);
  return got === root ? null : `the path leads to ${got}, not to ${root}`;
}

/** Why a path does not show that a key holds nothing; null if it does. */
export function absenceFails(path, key, root) {
  if (path.end === 'present') return 'the path shows that the key is present';
  let end = EMPTY;
  if (path.end !== 'empty') {
    const { key: other, value_hash: value } = path.end.other;
    const beside = path.siblings.every((_, depth) => bitOf(other, depth) === bitOf(key, depth));
    if (other === key || !beside) return 'the neighbour does not stand where the key would be';
    end = pair(LEAF, other, value);
  }
  const got = climb(key, end, path.siblings);
  return got === root ? null : `the path leads to ${got}, not to ${root}`;
}
