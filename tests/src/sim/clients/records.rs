//! What institutions say in a world: consents, and their withdrawal.

use probata_client::sdk::{Author, Statement};
use probata_types::{
    List, Millis, Text, Timestamp,
    body::{
        Body, ConsentDisplay, ConsentGrant, ConsentKind, ConsentRevoke, ConsentValidity, Grantor,
        LegalBasis, RevokedBy, WillMethod, WillProof,
    },
    record::{DataClass, Phase, Retention, Subject},
};

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).expect("short constants")
}

pub(super) fn statement(body: Body, now: Timestamp) -> Statement {
    Statement {
        phase: Phase::P02,
        occurred_at: now,
        rule_pack: 1,
        data_class: DataClass::C2,
        level: 3,
        retention: Retention::LoanFile,
        documents: List::empty(),
        body,
    }
}

/// A general consent, as small as one can be.
pub(super) fn consent(author: Author, now: Timestamp) -> Body {
    let one = |code: &str| List::new(vec![text(code)]).expect("one");
    Body::ConsentGrant(Box::new(ConsentGrant {
        subject: Subject([11; 32]),
        grantor: Grantor::Oneself,
        controller: author.institution,
        recipients: List::empty(),
        basis: LegalBasis::Consent,
        kind: ConsentKind::General,
        purposes: one("loan_review"),
        means: text("query"),
        data_classes: one("tax"),
        sources: List::empty(),
        valid_from: now,
        validity: ConsentValidity::Open,
        display: ConsentDisplay {
            page: text("consent"),
            dwell: Millis::new(12_000),
            default_unchecked: true,
        },
        will: WillProof { method: WillMethod::Face, proof: None },
        consideration: None,
        withdraw_channel: text("app"),
        replaces: None,
    }))
}

pub(super) fn revocation(now: Timestamp) -> Body {
    Body::ConsentRevoke(Box::new(ConsentRevoke {
        subject: Subject([11; 32]),
        at: now,
        by: RevokedBy::Controller,
        channel: text("app"),
    }))
}
