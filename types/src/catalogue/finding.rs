//! Findings: what is stamped on an accepted record.

super::codes! {
    1000 LATE Notice "R10"
        "事后补录：记录入链明显晚于事件发生"
        "Recorded long after the event.";
    1001 CLOCK_SKEW Notice "R07"
        "提交方时钟与区块时间偏差较大"
        "The submitter's clock differs from the block's time.";
    1002 RULE_PACK_OLD Notice "R55"
        "适用的规则包不是现行版本"
        "An older rule pack was applied.";
    1003 DUP_DOC Warning "R02"
        "同一文件已出现在其他流程"
        "The same document stands in another flow.";
    1004 EMPTY_DOC Serious "R02"
        "文件为空"
        "A document is empty.";
    1010 RATE_CAP Serious "民间借贷规定(2020) 25; 法发〔2017〕22号"
        "综合成本或逾期利率超过上限"
        "The yearly cost or the overdue rate exceeds the cap.";
    1011 APR_MISMATCH Warning "中国人民银行公告〔2021〕3号"
        "披露的年化利率与重新计算结果不符"
        "The yearly cost shown is not the recomputed one.";
    1012 NO_DISCLOSURE Warning "中国人民银行公告〔2021〕3号"
        "缺少利率费用披露文件"
        "No page that disclosed rate and fees.";
    1013 NO_CLAUSE_PROMPT Warning "民法典 496"
        "缺少格式条款提示记录"
        "No log of prompted clauses.";
    1014 WEAK_SIGN Warning "电子签名法 13"
        "签署无证书且仅用单一验证方式"
        "Signed without a certificate and with one factor only.";
    1015 SIGN_BEFORE_ID Warning "R26"
        "签署早于身份核验，或未核验身份"
        "Signed before identity was verified, or without.";
    1016 HIDDEN_FEE Serious "中国人民银行公告〔2021〕3号"
        "收取了合同未列明的费用"
        "A fee was taken that the contract does not list.";
    1017 MODEL_UNFILED Warning "R41"
        "决策模型未备案"
        "The model that decided was not filed.";
    1018 OVERDUE_RATE Warning "loan contract"
        "逾期利率超过约定利率的允许倍数"
        "The overdue rate exceeds the allowed multiple of the agreed rate.";
    1030 PERIOD_LAPSED Serious "民法典 692、693"
        "保证期间内未依法主张"
        "No demand or suit inside the guarantee's period.";
    1031 GENERAL_NO_EXHAUST Serious "民法典 687"
        "一般保证未先就债务人财产强制执行"
        "A general guarantee was claimed before enforcement against the debtor failed.";
    1032 NO_RESOLUTION Serious "公司法 15"
        "公司担保缺少决议文件"
        "A company guarantees without a resolution.";
    1033 KIND_UNCLEAR Warning "民法典 686"
        "保证方式约定不明，按一般保证处理"
        "The kind of guarantee is unclear: it counts as general.";
    1034 RECOURSE_NOT_AGREED Warning "民法典 699、700"
        "向共同担保人追偿缺少约定或共同签署"
        "Recourse against a co-guarantor without agreement or a common document.";
    1040 ART670 Serious "民法典 670"
        "预先扣除款项，利息应按实际借款数额计算"
        "Sums were kept back in advance: interest runs on what was received.";
    1041 ACCT_NOT_BORROWER Warning "disbursement"
        "收款账户不是借款人本人账户"
        "The account paid to is not the borrower's.";
    1042 BEFORE_SIGN Serious "disbursement"
        "放款早于合同签署"
        "Paid out before the contract was signed.";
    1050 ALLOC_ORDER Warning "民法典 561"
        "未按费用、利息、本金顺序抵充"
        "Not counted on costs, interest, principal in this order.";
    1051 BACKDATED Warning "repayment"
        "还款时间早于此前已登记的还款或放款"
        "Dated before an earlier recorded payment or before the money was paid out.";
    1052 MISSING_INDEX Warning "repayment"
        "还款期次不连续"
        "Instalments before this one are not recorded.";
    1060 COLL_HOURS Warning "GB/T 45251-2025"
        "催收时间不在允许时段"
        "Contact outside the hours allowed.";
    1061 COLL_FREQ Warning "GB/T 45251-2025"
        "催收频次超过限制"
        "More contacts than allowed.";
    1062 COLL_THIRD_PARTY Serious "GB/T 45251-2025; 消费金融公司管理办法"
        "向无关第三人催收"
        "A third person was contacted.";
    1063 NO_RECORDING Warning "GB/T 45251-2025"
        "电话催收缺少录音"
        "A call without a recording.";
    1064 OVER_DEMAND Serious "collection"
        "催收金额超过重新计算的应还金额"
        "More is demanded than is owed by the chain's own reckoning.";
    1065 NO_MANDATE Warning "GB/T 45251-2025"
        "委外催收缺少委托依据"
        "An outside agency without a mandate.";
    1066 COMPLAINT_LATE Warning "GB/T 45251-2025"
        "投诉处理超过期限"
        "A complaint was not closed in time.";
    1070 BUNDLED Warning "个人信息保护法 14、23"
        "授权告知文本与其他条款捆绑"
        "The notice is bundled with other terms.";
    1071 PRECHECKED Warning "个人信息保护法 14"
        "授权选项默认勾选"
        "The box was ticked beforehand.";
    1072 DWELL_SHORT Notice "个人信息保护法 17"
        "告知页面停留时间过短"
        "The notice was open too shortly to be read.";
    1073 OPEN_ENDED Warning "个人信息保护法 19"
        "授权未约定期限"
        "The consent has no end.";
    1074 BASIS_MISMATCH Warning "个人信息保护法 13"
        "授权类型与法律依据不符"
        "This kind of consent cannot rest on the stated basis.";
    1075 NO_SUBJECT_PROOF Serious "个人信息保护法 14"
        "缺少信息主体本人意愿的证明"
        "Nothing proves the person's own will.";
    1080 NO_CONSENT Serious "个人信息保护法 13、23; 征信业管理条例 18"
        "访问缺少有效授权"
        "No consent in force covers this access.";
    1081 AFTER_REVOKE Serious "个人信息保护法 15"
        "授权撤回后仍发生访问"
        "Access after the consent was withdrawn.";
    1082 EXPORT_LARGE Warning "data access"
        "大批量导出"
        "A large export.";
    1083 OFF_HOURS Notice "data access"
        "非工作时间访问"
        "Access outside working hours.";
    1084 QUERY_NO_APPLICATION Warning "征信业管理条例 18"
        "征信查询缺少对应的贷款申请"
        "A credit query without a loan applied for.";
    1090 NO_CHECKSUM Warning "JR/T 0221-2021 6.4"
        "训练数据缺少校验值"
        "Training data without a checksum.";
    1091 DEPLOY_UNAPPROVED Serious "JR/T 0221-2021 6.4"
        "模型未经批准上线"
        "Deployed without approval.";
    1092 FILING_MISSING Serious "R41"
        "准入或定价模型上线前未备案"
        "A model for admission or pricing was deployed without a filing.";
    1093 DATA_AFTER_REVOKE Serious "个人信息保护法 15、47"
        "训练使用了已撤回或不存在的授权数据"
        "Trained on data whose consent was withdrawn or does not exist.";
}
