// The offline page: files in, verdict out. All text of a file goes into the page as text, never as markup.

import { Genesis, readCheckpoint, verify } from '../src/index.js';
import { check, conclusion, finding, texts } from './words.js';

const $ = (id) => document.getElementById(id);
const given = { evidence: null, documents: [], genesis: null, checkpoint: null };
// What is wrong with something that is no evidence, in both languages.
let [language, report, trouble] = [0, null, null];

const file = async (one) => ({ name: one.name, bytes: new Uint8Array(await one.arrayBuffer()) });

async function take(kind, files) {
  trouble = null;
  const read = await Promise.all([...files].map(file));
  if (kind === 'documents') given.documents.push(...read);
  else if (read.length > 0) [given[kind]] = read;
  show();
}

const FORMAT = /"format"\s*:\s*"probata-(evidence|genesis|checkpoint)"/;
const TRUSTED = [
  '创世文件和检查点决定您信任谁,请在其各自的选项中选择,不要与证据一起拖入。',
  'The genesis document and the checkpoint decide whom you trust: choose them in their own fields, do not drop them with the evidence.',
];

/** Evidence and documents by their own word, which is checked afterwards; never what decides whom to trust. */
async function sort(files) {
  trouble = null;
  for (const read of await Promise.all([...files].map(file))) {
    const [, kind] = FORMAT.exec(new TextDecoder().decode(read.bytes.subarray(0, 1_048_576))) ?? [];
    if (kind === 'evidence') given.evidence = read;
    else if (kind) trouble = TRUSTED;
    else given.documents.push(read);
  }
  show();
}

function judge() {
  if (!given.evidence) return null;
  try {
    return verify({
      evidence: given.evidence.bytes,
      documents: given.documents,
      genesis: given.genesis && Genesis.parse(given.genesis.bytes),
      checkpoint: given.checkpoint && readCheckpoint(given.checkpoint.bytes),
    });
  } catch (error) {
    trouble = [`创世文件或检查点无法读取:${error.message}`, `The genesis document or the checkpoint cannot be read: ${error.message}`];
    return null;
  }
}

function show() {
  report = judge();
  render();
}

function render() {
  document.documentElement.lang = ['zh', 'en'][language];
  const key = ['zh', 'en'][language];
  for (const node of document.querySelectorAll('[data-zh]')) node.textContent = node.dataset[key];
  $('language').textContent = ['English', '中文'][language];
  $('language').lang = ['en', 'zh'][language];
  for (const kind of ['evidence', 'genesis', 'checkpoint']) $(`${kind}-name`).textContent = given[kind]?.name ?? '';
  $('documents-name').textContent = given.documents.map(({ name }) => name).join(', ');
  $('trouble').textContent = trouble?.[language] ?? '';
  $('result').hidden = !report;
  if (!report) return;
  const { zh, en } = texts.verdicts[report.verdict];
  $('verdict').className = report.verdict;
  $('verdict').textContent = `${zh} ${en}`;
  $('conclusion').textContent = conclusion(report, language);
  $('limits').textContent = texts.limits[key];
  fill($('summary'), summary(key).flatMap(([name, value]) => [element('dt', name), element('dd', value)]));
  const found = report.findings.map((number) => element('li', finding(number, language)));
  fill($('findings'), found.length > 0 ? found : [element('li', ['无', 'none'][language])]);
  fill($('checks').tBodies[0], report.checks.map((one) => row(one, key)));
}

function row({ level, predicate, status, why }, key) {
  const line = document.createElement('tr');
  const name = element('td', check(predicate, language));
  name.append(document.createElement('br'), element('code', predicate));
  const result = element('td', texts.statuses[status][key]);
  result.className = status;
  line.append(element('td', level ?? ''), name, result, element('td', why ?? ''));
  return line;
}

function summary(key) {
  const level = report.level ? `${report.level} ${texts.levels[report.level][key]}` : ['未达任何级别', 'none reached'][language];
  const rows = [[['级别', 'Level'], level]];
  const { file: it, facts } = report;
  if (it) {
    const [type] = Object.keys(it.record.body);
    const genesis = given.genesis && Genesis.parse(given.genesis.bytes);
    const names = genesis?.names.get(it.submission.head.institution);
    const { institution } = it.submission.head;
    rows.push(
      [['记录', 'Record'], facts.record],
      [['类型', 'Type'], texts.record_types[type][key]],
      [['提交方', 'Submitter'], names ? `${names[key]} (${institution})` : institution],
      [['所称发生时间', 'Said to have happened'], time(it.record.occurred_at)],
      [['提交时间', 'Submitted'], time(it.submission.head.submitted_at)],
      [['上链时间', 'Recorded'], `${time(it.header.time)} · ${['高度', 'height'][language]} ${it.header.height}`],
      [['锚定', 'Anchor'], `${time(facts.anchor.header.time)} · ${['高度', 'height'][language]} ${facts.anchor.header.height}`],
      [['链标识', 'Chain'], it.chain],
    );
    for (const one of it.disclosures) {
      const shown = 'text' in one.value ? one.value.text : one.value.hex;
      const holds = report.checks.some(({ predicate, status }) => predicate === `disclosure:${one.field}` && status === 'passed');
      rows.push([['披露', 'Disclosed'], `${one.field}: ${shown}${holds ? '' : ['(未通过)', ' (fails)'][language]}`]);
    }
  }
  return rows.map(([names, value]) => [names[language], value]);
}

/** Chinese standard time, as the other verifier prints it. */
function time(milliseconds) {
  const shifted = new Date(milliseconds + 8 * 3_600_000);
  return Number.isNaN(shifted.getTime()) ? String(milliseconds) : `${shifted.toISOString().replace('T', ' ').replace('Z', '')} (UTC+08:00)`;
}

function element(name, text) {
  const node = document.createElement(name);
  node.textContent = text;
  return node;
}

const fill = (parent, children) => parent.replaceChildren(...children);

for (const kind of ['evidence', 'documents', 'genesis', 'checkpoint']) {
  $(kind).addEventListener('change', ({ target }) => take(kind, target.files));
}
$('language').addEventListener('click', () => {
  language = 1 - language;
  render();
});
$('print').addEventListener('click', () => window.print());
$('again').addEventListener('click', () => {
  Object.assign(given, { evidence: null, documents: [], genesis: null, checkpoint: null });
  for (const kind of ['evidence', 'documents', 'genesis', 'checkpoint']) $(kind).value = '';
  [report, trouble] = [null, null];
  render();
});
const stop = (event) => event.preventDefault();
document.addEventListener('dragover', (event) => {
  stop(event);
  $('drop').classList.add('over');
});
document.addEventListener('dragleave', () => $('drop').classList.remove('over'));
document.addEventListener('drop', (event) => {
  stop(event);
  $('drop').classList.remove('over');
  sort(event.dataTransfer.files);
});
render();
