//! The verdicts and levels, with their fixed wording in both languages.

use serde::Serialize;
use std::fmt;

/// What came out of the whole examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every check that the verdict needs passed.
    Consistent,
    /// The same, and there is something that the reader must know.
    ConsistentWithFindings,
    /// At least one check failed.
    Inconsistent,
    /// No check failed, but something that the verdict needs is missing or unknown.
    Indeterminate,
    /// Two different headers of one height are both validly sealed.
    Forked,
}

impl Verdict {
    /// The exit code of a command that ends with this verdict.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Consistent | Self::ConsistentWithFindings => 0,
            Self::Inconsistent => 1,
            Self::Indeterminate => 2,
            Self::Forked => 3,
        }
    }

    /// The Chinese name, which prevails.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Consistent => "一致",
            Self::ConsistentWithFindings => "一致但有提示",
            Self::Inconsistent => "不一致",
            Self::Indeterminate => "无法核验",
            Self::Forked => "分叉",
        }
    }

    /// The English name.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Consistent => "CONSISTENT",
            Self::ConsistentWithFindings => "CONSISTENT WITH FINDINGS",
            Self::Inconsistent => "INCONSISTENT",
            Self::Indeterminate => "INDETERMINATE",
            Self::Forked => "FORKED",
        }
    }
}

/// How far the proof reaches. Each level holds only with all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// A key signed this record.
    E1,
    /// The consortium recorded and accepted it.
    E2,
    /// A seal of the anchor's date covers it.
    E3,
    /// Those who sealed are the validators that the genesis leads to.
    E4,
    /// Its status at the anchor, and that its event history is complete.
    E5,
}

impl Level {
    /// All, lowest first.
    pub const ALL: [Self; 5] = [Self::E1, Self::E2, Self::E3, Self::E4, Self::E5];

    /// What the level claims, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::E1 => "已签名:该密钥签署了此记录",
            Self::E2 => "已上链:联盟于该高度、该时间记录并接受了此记录",
            Self::E3 => "已锚定:锚定区块的签名覆盖此记录,其后未被改写",
            Self::E4 => "已溯源:签名节点由创世文件逐步推得",
            Self::E5 => "状态已知:锚定时的状态、密钥有效性及完整的事件历史",
        }
    }

    /// What the level claims, in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::E1 => "signed: this key signed this record",
            Self::E2 => "recorded: the consortium recorded and accepted it at this height and time",
            Self::E3 => "anchored: the anchor's seal covers it; it was not rewritten until then",
            Self::E4 => "rooted: those who sealed are the validators that the genesis leads to",
            Self::E5 => "current: its status at the anchor, the key's validity, all of its events",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What was missing for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The genesis document.
    Genesis,
    /// A proof that the evidence file may hold and does not.
    Proof,
    /// A document that the record binds.
    Document,
    /// The way to the checkpoint that the caller keeps.
    Checkpoint,
    /// An algorithm or a format version that this software does not have.
    Algorithm,
    /// A type of record that this software does not have.
    RecordType,
    /// The record itself, as of the day asked for: it was sealed later.
    Record,
}

impl Missing {
    /// In Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Genesis => "创世文件",
            Self::Proof => "证明",
            Self::Document => "原文件",
            Self::Checkpoint => "通往检查点的证明",
            Self::Algorithm => "算法或格式版本",
            Self::RecordType => "记录类型",
            Self::Record => "截至所询日期的记录",
        }
    }

    /// In English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Proof => "proof",
            Self::Document => "document",
            Self::Checkpoint => "proof of the checkpoint",
            Self::Algorithm => "algorithm or format version",
            Self::RecordType => "record type",
            Self::Record => "record as of the date asked for",
        }
    }
}

/// What is printed under every verdict.
pub const LIMITS: Wording = Wording {
    zh: "本核验只说明上链之后:摘要于上链时间写入本链,且至锚定时未被改写。不证明上链前内容的真实、\
         合法或与当事人的关联;自然人的身份依赖身份核验与意愿认证的记录(P01、P07)。区块时间为共识时间,允许误差见创世文件。结论在所用算法未被攻破期间有效。\
         提示不是法律结论。",
    en: "This examination speaks only of the time after recording: the digests were written to the \
         chain at block time and were not rewritten until the anchor. It does not show that the \
         content was true, lawful or attributable before it was recorded; who a natural person is \
         relies on the records of identity and will (P01, P07). Block time is the consensus clock with the tolerance stated in the genesis. The result is valid while the \
         algorithms used are unbroken. Findings are not legal conclusions.",
};

/// A text in both languages; the Chinese one prevails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Wording {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}
