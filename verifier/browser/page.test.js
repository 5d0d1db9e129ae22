// The offline page in a real browser without a network: every verdict, both languages, by keyboard, printed, and read by axe.
// `npm run browser`; CHROMIUM names another browser than /usr/bin/chromium. Pictures go to target/artifacts/verifier.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { page as built, target } from '../scripts/build.mjs';

const corpus = new URL('../../tests/vectors/evidence/', import.meta.url);
const path = (name) => fileURLToPath(new URL(name, corpus));
const rows = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8'));
const row = (name) => rows.find((one) => one.name === name) ?? assert.fail(`no row ${name}`);
const artifacts = fileURLToPath(new URL('../../target/artifacts/verifier/', import.meta.url));
const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let browser;
let context;
before(async () => {
  mkdirSync(artifacts, { recursive: true });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  context = await browser.newContext({ offline: true, viewport: { width: 1000, height: 900 }, bypassCSP: false });
});
after(() => browser?.close());

async function open() {
  const page = await context.newPage();
  page.on('request', (request) => assert.ok(request.url().startsWith('file:') || request.url().startsWith('data:'), request.url()));
  page.on('pageerror', (error) => assert.fail(error));
  await page.goto(target.href);
  return page;
}

const documentsOf = (of) =>
  of.documents.map(([name, file]) => ({ name, mimeType: 'application/octet-stream', buffer: readFileSync(path(file)) }));

async function judged(of) {
  const page = await open();
  await page.setInputFiles('#documents', documentsOf(of));
  if (of.genesis) await page.setInputFiles('#genesis', path(of.genesis));
  if (of.checkpoint) await page.setInputFiles('#checkpoint', path(of.checkpoint));
  await page.setInputFiles('#evidence', path(of.evidence));
  await page.waitForSelector('#result:not([hidden])');
  assert.equal(await page.textContent('#trouble'), '');
  return page;
}

test('the page in dist is that of the sources', async () => {
  const whole = readFileSync(target, 'utf8');
  assert.equal(whole, await built(), 'run `npm run build`');
  assert.ok(Buffer.byteLength(whole) < 300_000, `${Buffer.byteLength(whole)} bytes`);
});

for (const [name, verdict, picture] of [
  ['genuine-contract-today', '一致 CONSISTENT', 'consistent'],
  ['genuine-with-a-finding', '一致但有提示 CONSISTENT WITH FINDINGS', 'findings'],
  ['document-changed', '不一致 INCONSISTENT', 'other-document'],
  ['record-with-another-principal', '不一致 INCONSISTENT', 'inconsistent'],
  ['document-missing', '无法核验 INDETERMINATE', 'indeterminate'],
  ['fork-inside-the-file', '分叉 FORKED', 'forked'],
  ['forged-history-against-a-checkpoint-of-height-50000000', '不一致 INCONSISTENT', 'long-range'],
]) {
  test(`${name}: ${verdict}`, async () => {
    const page = await judged(row(name));
    assert.equal(await page.textContent('#verdict'), verdict);
    await page.screenshot({ path: join(artifacts, `${picture}-zh.png`), fullPage: true });
    await page.click('#language');
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    await page.screenshot({ path: join(artifacts, `${picture}-en.png`), fullPage: true });
    await page.addScriptTag({ content: axe }).catch(() => page.evaluate(axe));
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
    await page.close();
  });
}

test('it is used by keyboard, and says nothing before a file is given', async () => {
  const page = await open();
  await page.screenshot({ path: join(artifacts, 'empty-zh.png'), fullPage: true });
  assert.equal(await page.isHidden('#result'), true);
  const seen = [];
  for (let at = 0; at < 6; at += 1) {
    await page.keyboard.press('Tab');
    seen.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.deepEqual(seen, ['language', 'evidence', 'documents', 'genesis', 'checkpoint', 'again']);
  await page.close();
});

test('it prints', async () => {
  const page = await judged(row('genuine-contract-today'));
  await page.pdf({ path: join(artifacts, 'printed.pdf'), format: 'A4' });
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.isHidden('#inputs'), true);
  await page.screenshot({ path: join(artifacts, 'printed.png'), fullPage: true });
  await page.close();
});

test('a document of 20 MB is compared', async () => {
  const page = await judged(row('genuine-contract-today'));
  const large = join(tmpdir(), `probata-${process.pid}.bin`);
  writeFileSync(large, Buffer.alloc(20 * 1_048_576, 7));
  const from = Date.now();
  await page.setInputFiles('#documents', large);
  await page.waitForFunction(() => document.getElementById('verdict').classList.contains('inconsistent'));
  console.log(`20 MB compared in ${Date.now() - from} ms, with the reading of the file`);
  rmSync(large);
  await page.close();
});

test('what cannot be read is said, and a script in a name stays text', async () => {
  const page = await judged(row('genuine-contract-today'));
  await page.setInputFiles('#genesis', { name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{') });
  await page.waitForFunction(() => document.getElementById('trouble').textContent !== '');
  assert.equal(await page.isHidden('#result'), true, 'no verdict stands beside the error');
  await page.setInputFiles('#genesis', path('genesis.json'));
  await page.setInputFiles('#documents', { name: '<img src=x onerror=alert(1)>.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
  await page.waitForFunction(() => document.getElementById('checks').textContent.includes('<img'));
  assert.equal(await page.locator('#result img').count(), 0);
  await page.close();
});
