//! The types of records, with what names them.

use serde::{Deserialize, Serialize};

/// The type of a record. Numbers are stable: a retired one is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordType {
    /// [`super::LoanContract`].
    LoanContract,
    /// [`super::Guarantee`].
    Guarantee,
    /// [`super::Disbursement`].
    Disbursement,
    /// [`super::Repayment`].
    Repayment,
    /// [`super::Collection`].
    Collection,
    /// [`super::ConsentGrant`].
    ConsentGrant,
    /// [`super::ConsentRevoke`].
    ConsentRevoke,
    /// [`super::DataAccess`].
    DataAccess,
    /// [`super::ModelTraining`].
    ModelTraining,
    /// A motion to change the consortium.
    Motion,
    /// A vote on a motion.
    Ballot,
    /// A validator contradicted itself.
    Fault,
}

impl RecordType {
    /// All types, by ascending number.
    pub const ALL: [Self; 12] = [
        Self::LoanContract,
        Self::Guarantee,
        Self::Disbursement,
        Self::Repayment,
        Self::Collection,
        Self::ConsentGrant,
        Self::ConsentRevoke,
        Self::DataAccess,
        Self::ModelTraining,
        Self::Motion,
        Self::Ballot,
        Self::Fault,
    ];

    /// The stable number.
    pub const fn number(self) -> u16 {
        match self {
            Self::LoanContract => 1,
            Self::Guarantee => 2,
            Self::Disbursement => 3,
            Self::Repayment => 4,
            Self::Collection => 5,
            Self::ConsentGrant => 6,
            Self::ConsentRevoke => 7,
            Self::DataAccess => 8,
            Self::ModelTraining => 9,
            Self::Motion => 10,
            Self::Ballot => 11,
            Self::Fault => 12,
        }
    }

    /// The type of a number, if there is one.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoanContract => "loan_contract",
            Self::Guarantee => "guarantee",
            Self::Disbursement => "disbursement",
            Self::Repayment => "repayment",
            Self::Collection => "collection",
            Self::ConsentGrant => "consent_grant",
            Self::ConsentRevoke => "consent_revoke",
            Self::DataAccess => "data_access",
            Self::ModelTraining => "model_training",
            Self::Motion => "motion",
            Self::Ballot => "ballot",
            Self::Fault => "fault",
        }
    }

    /// The type of a name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The label of reports, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::LoanContract => "贷款合同",
            Self::Guarantee => "担保",
            Self::Disbursement => "放款",
            Self::Repayment => "还款",
            Self::Collection => "催收",
            Self::ConsentGrant => "授权",
            Self::ConsentRevoke => "撤回授权",
            Self::DataAccess => "数据访问",
            Self::ModelTraining => "模型训练",
            Self::Motion => "治理议案",
            Self::Ballot => "治理表决",
            Self::Fault => "验证节点过错",
        }
    }

    /// The label of reports, in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::LoanContract => "Loan contract",
            Self::Guarantee => "Guarantee",
            Self::Disbursement => "Disbursement",
            Self::Repayment => "Repayment",
            Self::Collection => "Collection",
            Self::ConsentGrant => "Consent grant",
            Self::ConsentRevoke => "Consent withdrawal",
            Self::DataAccess => "Data access",
            Self::ModelTraining => "Model training",
            Self::Motion => "Motion",
            Self::Ballot => "Ballot",
            Self::Fault => "Validator fault",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_find_their_type() {
        for kind in RecordType::ALL {
            assert_eq!(RecordType::from_number(kind.number()), Some(kind));
            assert_eq!(RecordType::from_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
        }
        assert_eq!(RecordType::from_number(0), None);
        assert_eq!(RecordType::from_name("facility"), None);
    }
}
