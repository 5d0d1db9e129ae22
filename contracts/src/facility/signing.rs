//! How a paper was signed: `SIGNER_NOT_PARTY`, and the findings `WEAK_SIGN` and `SIGN_BEFORE_ID`.

use crate::case::{Case, Judged, require};
use probata_types::{
    body::{Party, Signatory, Signer},
    catalogue::{failure, finding},
};

/// Judges the signatures on a paper between the lender and `parties`.
pub(super) fn judge<'p>(
    case: &mut Case<'_, '_>,
    signers: &[Signer],
    parties: impl Iterator<Item = &'p Party> + Clone,
) -> Judged {
    for signer in signers {
        case.require_past(signer.at)?;
        let weak = signer.certificate.is_none() && signer.methods.len() <= 1;
        case.note(weak, finding::WEAK_SIGN);
        let Signatory::Party(subject) = signer.party else {
            continue;
        };
        let party = parties.clone().find(|party| party.subject == subject);
        let party = party.ok_or(failure::SIGNER_NOT_PARTY)?;
        let identified = party.identified_at.is_some_and(|at| at <= signer.at);
        case.note(!identified, finding::SIGN_BEFORE_ID);
    }
    Ok(())
}

/// Hard rule: one side has signed.
pub(super) fn require_side(signers: &[Signer], lender: bool) -> Judged {
    let signed = signers.iter().any(|signer| (signer.party == Signatory::Lender) == lender);
    require(signed, failure::SIDES)
}
