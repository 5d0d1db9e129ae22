//! Failures: why a record was rejected.

super::codes! {
    1 UNKNOWN_INSTITUTION Failure "H1"
        "提交机构未登记"
        "The submitting institution is not a member of this chain.";
    2 INSTITUTION_INACTIVE Failure "H1"
        "提交机构尚未准入或已被暂停"
        "The submitting institution is not yet admitted, or suspended.";
    3 KEY_NOT_VALID Failure "H1"
        "签名密钥在该区块高度无效"
        "The signing key is not one of the institution's keys valid at this height.";
    4 EXPIRED Failure "H1"
        "提交已过有效期"
        "The submission's expiry is before the block's time.";
    5 SUBMITTED_IN_FUTURE Failure "H5"
        "提交时间晚于区块时间超过允许误差"
        "The submission is dated later than the block by more than the tolerance.";
    10 ROLE Failure "H2"
        "该机构角色无权提交此类记录"
        "The institution has no role that may submit this type of record.";
    11 PHASE Failure "H2"
        "记录类型与存证阶段不符"
        "This type of record does not belong to the stated phase.";
    12 SEQUENCE Failure "H3"
        "序号不连续"
        "The number is not the submitter's last in this flow plus one.";
    13 PREVIOUS Failure "H3"
        "前序记录不符"
        "The record before it is not the submitter's last in this flow.";
    14 DUPLICATE Failure "H4"
        "该序号的记录已存在"
        "The submitter has already recorded this number in this flow.";
    15 OCCURRED_IN_FUTURE Failure "H5"
        "发生时间晚于提交时间超过允许误差"
        "The event is dated later than the submission by more than the tolerance.";
    16 FLOW_KIND Failure "H6"
        "记录类型与流程种类不符"
        "The flow was opened by another kind of record.";
    17 FLOW_NOT_OPEN Failure "H6"
        "流程尚未开立"
        "The flow does not exist yet: its first record must open it.";
    18 FLOW_OPENED Failure "H6"
        "流程已开立"
        "The flow exists already: a record that opens a flow must be its first.";
    19 REFERENCE Failure "H6"
        "引用的对象不存在或种类不符"
        "A reference leads to nothing, or to another kind of thing.";
    20 CLEAR_PERSONAL_DATA Failure "H7; JR/T 0171-2020"
        "记录含有明文个人信息"
        "A text holds what looks like an identity, mobile or card number in the clear.";
    21 VALUE Failure "H8"
        "字段值无效"
        "A field has a value that makes no sense, such as a negative sum.";
    22 RULE_PACK_UNKNOWN Failure "H8"
        "引用的规则包尚未生效"
        "The stated rule pack is not in force yet.";
    23 FLOW_FULL Failure "H6"
        "流程的提交机构数已达上限"
        "No further institution can submit to this flow.";
    24 NOT_PARTY Failure "H2"
        "提交机构不是该流程的当事方"
        "The submitting institution has no part in this flow.";
    100 LENDER Failure "loan contract"
        "贷款人不是提交机构"
        "The stated lender is not the submitting institution.";
    101 SIGNER_NOT_PARTY Failure "loan contract"
        "签署人不是合同当事人"
        "Somebody signed who is not a party.";
    102 SIDES Failure "loan contract"
        "合同双方未全部签署"
        "One side of the contract has not signed.";
    103 TERM Failure "loan contract"
        "到期日不晚于起始日"
        "The last day is not later than the first.";
    104 SCHEDULE Failure "loan contract"
        "还款计划与本金不符"
        "The schedule does not add up to the principal, or its dates are not in order.";
    105 PRINCIPAL Failure "loan contract"
        "本金不为正数"
        "The principal is not positive.";
    110 FACILITY_STATE Failure "facility"
        "贷款状态不允许该操作"
        "The facility's status does not allow this.";
    111 LIMIT Failure "disbursement"
        "累计放款超过合同额度"
        "More would be paid out than the contract allows.";
    112 DRAWDOWN Failure "disbursement"
        "提款序号或金额不符"
        "The drawdown's number or sum is not the one expected.";
    113 TRANSACTION_KNOWN Failure "repayment"
        "银行流水号已被登记"
        "This bank transaction has been recorded before.";
    114 REVERSAL Failure "repayment"
        "冲正的交易不存在或不符"
        "There is no such transaction to reverse, or it is not the same.";
    120 ALLOCATION Failure "repayment"
        "还款分配合计不等于金额"
        "The parts of the payment do not add up to its amount.";
    121 REMAINING Failure "repayment"
        "剩余本金与链上计算不符"
        "The stated remaining principal is not the recomputed one.";
    130 INTERVAL Failure "collection"
        "结束时间早于开始时间"
        "The end is before the beginning.";
    131 MODEL_REQUIRED Failure "collection"
        "智能外呼须注明模型"
        "A call by a machine must name its model.";
    132 DEBTOR Failure "collection"
        "催收对象不是该贷款的债务人或担保人"
        "Who is to pay is neither a borrower nor a guarantor of this loan.";
    140 RISK_SHARES Failure "guarantee; R38"
        "风险分担比例合计不为百分之百"
        "The shares of risk do not add up to 10,000.";
    141 GROUP_SHARES Failure "guarantee"
        "按份担保份额合计不为百分之百"
        "The shares in a group of guarantors do not add up to 10,000.";
    142 SCHEME Failure "guarantee"
        "分险方案不存在或比例不符"
        "The scheme is unknown, or its shares are others.";
    143 SCHEME_EXPOSURE Failure "guarantee"
        "单户在保余额超过方案上限"
        "The borrower's exposure exceeds the scheme's limit.";
    144 GUARANTEE_NUMBER Failure "guarantee"
        "担保编号不符"
        "The guarantee's number is not the next one, or there is no such guarantee.";
    145 GUARANTEE_STATE Failure "guarantee"
        "担保状态不允许该操作"
        "The guarantee's status does not allow this.";
    146 CLAIM_SCOPE Failure "guarantee"
        "主张超出担保范围"
        "The claim is beyond the scope of the guarantee.";
    147 CLAIM_LIMIT Failure "guarantee"
        "主张超过未偿还金额或最高限额"
        "The claim exceeds what is outstanding, or the maximum guaranteed.";
    148 CLAIM_ACCEPTED Failure "guarantee"
        "同意金额超过主张金额，或拒绝未说明理由"
        "More is accepted than was claimed, or less without a reason.";
    149 CLAIM_PAID Failure "guarantee"
        "代偿金额超过已同意金额"
        "More is paid than was accepted.";
    150 CLAIM_ALLOCATION Failure "guarantee; R38"
        "分担金额与比例不符"
        "The split is not by the shares of risk.";
    151 CLAIM_PARTY Failure "guarantee"
        "代偿的付款方或收款方不符"
        "Who pays or is paid the claim may not.";
    152 RECOVERY Failure "guarantee"
        "追偿金额超过已代偿损失"
        "More is recovered than was settled.";
    153 NOT_SETTLED Failure "guarantee"
        "债务未结清"
        "The debt is not settled.";
    154 GUARANTEE_LIMIT Failure "guarantee"
        "担保或债务人数量已达上限"
        "The facility holds no further guarantees or debtors.";
    155 GUARANTOR Failure "guarantee"
        "提交机构既非贷款人也非担保人"
        "The submitter is neither the lender nor a guarantor or bearer of risk.";
    160 CONTROLLER Failure "consent"
        "个人信息处理者不是提交机构"
        "The stated controller is not the submitting institution.";
    161 SEPARATE_RECIPIENT Failure "个人信息保护法 23、29"
        "单独同意须且仅须一个接收方"
        "A separate consent names exactly one recipient.";
    162 SEPARATE_NOTICE Failure "个人信息保护法 23、29"
        "单独同意缺少独立的告知文本"
        "A separate consent binds exactly one notice of its own.";
    163 CONSENT_SUBJECT Failure "consent"
        "撤回人与授权人不一致"
        "The consent is another person's.";
    164 CONSENT_TERM Failure "consent"
        "授权期限无效"
        "The consent ends before it begins.";
    170 SYSTEM_CHANGED Failure "data access"
        "日志所属系统不一致"
        "The log is that of another system.";
    180 TRAINING_INTERVAL Failure "model training"
        "训练结束时间早于开始时间"
        "Training ended before it began.";
    181 PARENT_UNKNOWN Failure "model training"
        "父版本不存在"
        "The version that it starts from does not exist.";
    182 COSIGNATURES Failure "model training"
        "联合训练参与方签名不足或无效"
        "Federated training needs two valid signatures of members, and none invalid.";
    183 VERSION_STATE Failure "model training"
        "模型版本状态不允许该操作"
        "The version's status does not allow this, or there is no such version.";
    184 MODEL_CHANGED Failure "model training"
        "模型标识不一致"
        "The flow is that of another model.";
    185 MODEL_FULL Failure "model training"
        "模型版本数已达上限"
        "The model holds no further versions; open a new flow.";
    190 NOT_ELECTOR Failure "governance"
        "提交机构不是有表决权的验证机构"
        "The submitter is not a validator's institution of the epoch in which the motion was made.";
    191 MOTION_CLOSED Failure "governance"
        "议案已结束表决或已失效"
        "The motion was decided, closed, or lapsed with the validator set that was to vote on it.";
    192 BALLOT_TWICE Failure "governance"
        "该机构已就此议案表决"
        "The institution has voted on this motion.";
    193 VOTED_DOWN Failure "governance"
        "反对票使议案不能再获通过"
        "So many voted against that no quorum can approve any more.";
    194 SET_TOO_SMALL Failure "governance"
        "验证节点不得少于四个"
        "Fewer than four validators would be left: they could not stand one that lies.";
    195 SET_CHANGE_PENDING Failure "governance"
        "已有一项验证节点变更待生效"
        "Another change of the validator set is approved and not in force yet.";
    196 SET_INVALID Failure "governance"
        "验证节点变更内容无效"
        "A seat is for an institution, key or node that may not have it, or the change changes nothing.";
    197 GROUP_SEATS Failure "governance; R14"
        "同一关联集团席位超过容错数"
        "A group of affiliated institutions would have more seats than validators may lie.";
    198 LIVE_QUORUM Failure "governance"
        "在线的新验证节点不足法定数"
        "Fewer validators of the new set are seen running than its quorum: the chain would stop.";
    199 KEY_PROOF Failure "governance"
        "密钥持有证明无效"
        "A key's proof was not made by its holder for this institution and chain.";
    200 KEY_KNOWN Failure "governance"
        "密钥已被使用或密钥数已达上限"
        "The key is in use already, or the institution can have no further one.";
    201 KEY_UNKNOWN Failure "governance"
        "密钥不存在或已撤销"
        "The institution has no such key, or it is revoked already.";
    202 INSTITUTION_KNOWN Failure "governance"
        "机构已登记"
        "The institution is a member already.";
    203 INSTITUTION_SEATED Failure "governance"
        "验证机构须先退出席位方可暂停"
        "The institution has a seat among the validators: it leaves that first.";
    204 DIRECTORY Failure "governance"
        "节点数已达上限，或节点地址重复"
        "There is no room for a further node, or its address is another's.";
    205 LAST_KEY Failure "governance"
        "机构须始终保有一把有效密钥"
        "The institution would be left without a key: replace it, or suspend the institution.";
    210 KEY_PURPOSE Failure "H1"
        "验证密钥仅可用于报告验证节点过错"
        "A validator's key signs reports of faults and no other record.";
    211 FAULT_KNOWN Failure "fault"
        "该过错已被记录"
        "The fault is recorded already.";
    212 FAULT_PROOF Failure "fault"
        "过错证明不成立"
        "The two votes do not prove that a validator of that height contradicted itself.";
}
