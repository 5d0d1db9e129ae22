// The genesis document (docs/FORMAT.md): what it says of the chain, and the digest that names it.

import { ofValue } from './hash.js';
import { Refused, parse } from './json.js';
import { read } from './schema.js';

const MAX_BYTES = 4 * 1_048_576;

/** A genesis document that the caller trusts: because it comes from where it should, or because its chain id is known. */
export class Genesis {
  /** @throws {Refused} */
  static parse(bytes) {
    if (bytes.length > MAX_BYTES) throw new Refused('it is longer than a genesis document');
    const document = read('GenesisDocument', parse(bytes));
    if (document.format !== 'probata-genesis' || document.version !== 1) throw new Refused('it is no genesis document of version 1');
    return new Genesis(document);
  }

  constructor(document) {
    this.suite = document.suite;
    this.chain = ofValue('probata.genesis', 'GenesisDocument', document);
    this.chainName = document.chain_name;
    const voting = document.entries.filter(({ entry }) => entry.validator !== null);
    /** The set of height 1. */
    this.set = voting.map(({ entry }) => ({ institution: entry.id, key: entry.validator.key }));
    /** Names by code, in both languages. */
    this.names = new Map(document.entries.map(({ entry }) => [entry.id, entry.name]));
  }
}
