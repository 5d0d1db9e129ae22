// The forged corpus: this verifier says of every file what the corpus does, as the other one has to.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Genesis, readCheckpoint, verify } from '../src/index.js';

const folder = new URL('../../tests/vectors/evidence/', import.meta.url);
const file = (name) => new Uint8Array(readFileSync(new URL(name, folder)));
const rows = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8'));

const genesis = new Map();
function trusted(name) {
  if (name && !genesis.has(name)) genesis.set(name, Genesis.parse(file(name)));
  return name ? genesis.get(name) : null;
}

const sorted = (checks) => checks.map(([predicate, status]) => `${predicate}: ${status}`).sort();

function said(row) {
  const report = verify({
    evidence: file(row.evidence),
    genesis: trusted(row.genesis),
    documents: row.documents.map(([name, of]) => ({ name, bytes: file(of) })),
    record: row.record,
    asOf: row.as_of,
    second: row.second && readCheckpoint(file(row.second)),
    checkpoint: row.checkpoint && readCheckpoint(file(row.checkpoint)),
  });
  const stopped = report.checks.filter(({ status }) => status !== 'passed');
  return {
    verdict: report.verdict,
    level: report.level,
    checks: sorted(stopped.map(({ predicate, status }) => [predicate, status])),
    findings: report.findings,
  };
}

test(`all ${rows.length} files of the corpus`, () => {
  for (const row of rows) {
    const expected = { ...row.expected, checks: sorted(row.expected.checks) };
    assert.deepEqual(said(row), expected, `${row.evidence} (${row.attack})`);
  }
  const forged = rows.filter(({ threat }) => threat !== '').length;
  assert.ok(forged >= 120, `${forged} forgeries`);
  console.log(`agreed on ${rows.length} of ${rows.length} files, ${forged} of them forged`);
});
