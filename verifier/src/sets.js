// The validator sets from genesis on, and which seals hold (docs/FORMAT.md, sections 4 and 5, "Walk of the sets").

import { hash, ofValue, signatureHolds } from './hash.js';
import { integer } from './schema.js';

export const headerHash = (header) => ofValue('probata.header', 'Header', header);
export const setHash = (set) => ofValue('probata.validators', 'ValidatorSet', set);

/** How many of a set must have voted. */
export function quorum(set) {
  const liars = Math.floor((set.length - 1) / 3);
  return Math.ceil((set.length + liars + 1) / 2);
}

/** Why a seal does not hold for a header and a set; null if it does. */
export function sealFails(header, seal, set) {
  if (header.validators !== setHash(set)) return 'the header names another set';
  const places = seal.votes.map((vote) => vote.validator);
  if (places.some((place, at) => at > 0 && places[at - 1] >= place)) return 'the votes are not in ascending order, each once';
  if (places.length < quorum(set)) return `${places.length} votes are fewer than the quorum of ${quorum(set)}`;
  const digest = hash(
    'probata.commit', header.chain, integer(header.height, 64), integer(seal.view, 64), headerHash(header),
  );
  for (const { validator, signature } of seal.votes) {
    if (validator >= set.length) return `validator ${validator} is not in the set`;
    if (!signatureHolds(set[validator].key, digest, signature)) return `the signature of validator ${validator} is not valid`;
  }
  return null;
}

/** The sets that the changes shown lead to, as far as they are proven. */
export class Sets {
  /** `genesis` is `{ chain, suite, set }`, or null. */
  constructor({ chain, sets, end }, genesis) {
    this.steps = genesis ? [{ from: 1, set: genesis.set }] : [];
    this.broken = null;
    this.judged = new Map();
    if (!genesis) return;
    for (const change of sets) {
      const why = this.follow(change, chain, end);
      if (why) {
        this.broken = { height: change.header.height, why: `the change at height ${change.header.height}: ${why}` };
        break;
      }
    }
  }

  follow(change, chain, end) {
    const { header, set } = change;
    const current = this.steps.at(-1);
    if (header.chain !== chain) return 'it is of another chain';
    if (header.height < current.from) return 'it is not after the one before it';
    const next = setHash(set);
    if (header.next_validators !== next) return 'it names another next set than the one shown';
    if (next === header.validators) return 'it changes nothing';
    if (header.height === Number.MAX_SAFE_INTEGER) return 'after it there is no height';
    if (header.height > end) return 'it is later than the anchor';
    const why = this.seal(change, current.set);
    if (why) return why;
    this.steps.push({ from: header.height + 1, set });
    return null;
  }

  /** One seal is judged once, however often a file shows it. */
  seal({ header, seal }, set) {
    const shown = [headerHash(header), setHash(set), JSON.stringify(seal)].join();
    if (!this.judged.has(shown)) this.judged.set(shown, sealFails(header, seal, set));
    return this.judged.get(shown);
  }

  /** `{ set }`, or why it is not known: `{ missing, why }`; `{ failed }` if there is none. */
  inForce(height) {
    if (this.steps.length === 0) return { missing: 'genesis', why: 'no genesis document was given' };
    if (this.broken && height > this.broken.height) {
      return { missing: 'proof', why: `the set of height ${height} is not proven: ${this.broken.why}` };
    }
    const step = this.steps.findLast(({ from }) => from <= height);
    return step ? { set: step.set } : { failed: `no set seals height ${height}` };
  }

  /** The answer of the check that a seal holds. */
  sealed(shown) {
    const { set, missing, why, failed } = this.inForce(shown.header.height);
    if (missing) return { status: 'not_run', missing, why };
    if (failed) return { status: 'failed', why: failed };
    return answer(this.seal(shown, set));
  }
}

/** Passed, or failed for a reason. */
export const answer = (why) => (why ? { status: 'failed', why } : { status: 'passed' });
