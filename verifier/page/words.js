// What the page says in both languages. Verdicts, levels, findings and limits have the words of the other verifier (texts.json,
// which its tests make); what stands here is the page's own.

import texts from '../src/texts.json' with { type: 'json' };

export { texts };

export const CHECKS = {
  file_is_well_formed: ['文件格式无误', 'The file is well formed'],
  submission_signature: ['提交方的签名有效', 'The submitter’s signature is valid'],
  record_in_submission: ['记录在所签名的提交之内', 'The record is in what was signed'],
  submission_in_block: ['该提交在区块之内', 'The submission is in the block'],
  outcome_in_block: ['链上的处理结果在区块之内', 'The decision is in the block'],
  outcome_is_accepted: ['该记录已被接受', 'The record was accepted'],
  sealed_before_expiry: ['在提交有效期内封块', 'Sealed before the submission expired'],
  block_seal: ['区块由法定人数的验证节点签名', 'A quorum of validators sealed the block'],
  anchor_seal: ['锚定区块由法定人数的验证节点签名', 'A quorum of validators sealed the anchor'],
  history_path: ['区块在锚定区块的历史之内,未被改写', 'The block is in the anchor’s history: not rewritten'],
  chain_is_the_genesis: ['链与所信任的创世文件一致', 'The chain is that of the trusted genesis'],
  validators_follow_from_genesis: ['签名节点由创世文件逐步推得', 'The validators follow from the genesis'],
  agrees_with_checkpoint: ['与留存的检查点一致', 'It agrees with the checkpoint kept'],
  flow_state: ['锚定时的状态属实', 'The status at the anchor is true'],
  institution_state: ['提交机构的登记属实', 'What is said of the submitter is true'],
  institution_active_at_height: ['提交机构当时为有效成员', 'The submitter was an active member then'],
  key_valid_at_height: ['签名密钥当时有效', 'The key was valid then'],
  event_history_complete: ['该事项的全部事件均已列出', 'All events of the matter are listed'],
  record_is_the_one_asked_for: ['系所询的记录', 'It is the record asked for'],
  recorded_by_as_of: ['至所询日期已上链', 'It was recorded by the day asked for'],
  second_source: ['与另一来源一致', 'A second source agrees'],
};

const OWN_FINDINGS = {
  60001: ['证据文件未附锚定时的状态:记录此后是否被撤回、取代或解除,不得而知。', 'The file shows no state at the anchor: whether the record was later withdrawn, superseded or released is not known.'],
  60002: ['所示状态晚于所询时间。', 'The status shown is later than the time asked for.'],
  60003: ['至锚定时,该授权或担保已经终止。', 'At the anchor the consent or guarantee had ended.'],
};

export function finding(number, at) {
  const own = OWN_FINDINGS[number];
  if (own) return own[at];
  const entry = texts.findings[number];
  if (!entry) return at === 0 ? `代码${number}不在本页的目录中` : `the code ${number} is not in the catalogue of this page`;
  return `${number} ${entry.name}: ${entry[at === 0 ? 'zh' : 'en']} (${entry.article})`;
}

export function check(predicate, at) {
  const [kind, ...rest] = predicate.split(':');
  if (kind === 'document') return `${['原文件', 'Document'][at]}: ${rest.join(':')}`;
  if (kind === 'disclosure') return `${['披露字段', 'Disclosed field'][at]}: ${rest.join(':')}`;
  return CHECKS[predicate][at];
}

/** The conclusion in words; a wrong file is never called tampered with, and an unknown is never a pass. */
export function conclusion(report, at) {
  const failed = report.checks.filter(({ status }) => status === 'failed').map(({ predicate }) => predicate);
  switch (report.verdict) {
    case 'consistent': return ['比对结果一致,上链后未被篡改。', 'Consistent: not rewritten since it was recorded.'][at];
    case 'consistent_with_findings':
      return ['比对结果一致,上链后未被篡改;但有提示,见下。', 'Consistent: not rewritten since it was recorded; but see the findings.'][at];
    case 'forked':
      return ['发现同一高度两个有效签名区块头,停止核验。', 'Two validly sealed headers of one height were found. The examination stops.'][at];
    case 'indeterminate': {
      const missing = new Set(report.checks.filter(({ level, status }) => level !== 'E5' && status !== 'passed').map((one) => one.missing));
      const names = [...missing].filter(Boolean).map((kind) => texts.missing[kind][at === 0 ? 'zh' : 'en']);
      return at === 0 ? `缺少${names.join('、')},未作判断。` : `Missing or unknown: ${names.join(', ')}. No judgement is made.`;
    }
    default: return inconsistent(failed, at);
  }
}

function inconsistent(failed, at) {
  const says = [];
  if (failed.includes('agrees_with_checkpoint')) {
    says.push([
      '证据文件所述历史与留存的检查点不符,可能系以已退出验证者的密钥另行制作,不予采认。',
      'The history that the file tells is not that of the checkpoint that was kept: it may have been made with keys of validators that have left. It is not accepted.',
    ][at]);
  }
  const documents = failed.filter((name) => name.startsWith('document:')).map((name) => name.slice(9));
  if (documents.length > 0) {
    says.push([
      `所提交文件与链上摘要不符。不能据此判断系文件被修改或提交了其他文件。(${documents.join(', ')})`,
      `The file given does not match the digests recorded on the chain (${documents.join(', ')}). This does not show whether the file was changed or another file was given.`,
    ][at]);
  }
  const rest = failed.filter((name) => !name.startsWith('document:') && name !== 'agrees_with_checkpoint');
  if (rest.length > 0) {
    const names = rest.map((name) => check(name, at)).join(at === 0 ? '、' : ', ');
    says.push([
      `证据文件有核验项未通过(${names}),不能证明该记录已上链并被接受。`,
      `The evidence file fails these checks: ${names}. It does not show that the record was recorded and accepted.`,
    ][at]);
  }
  return says.join(' ');
}
