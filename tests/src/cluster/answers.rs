//! How a node answers those who ask it for blocks.

use probata_types::SealedBlock;

/// What becomes of an answer.
#[derive(Debug, Clone)]
pub enum Serve {
    /// These blocks.
    Blocks(Vec<SealedBlock>),
    /// None ever: the one who asked gives up in the end.
    Nothing,
}

/// What a liar makes of the blocks that an honest node would hand over.
pub struct Answers(pub(super) Box<dyn Fn(Vec<SealedBlock>) -> Serve>);

impl Answers {
    /// Changes each block.
    pub fn changed(change: impl Fn(&mut SealedBlock) + 'static) -> Self {
        Self(Box::new(move |mut blocks| {
            blocks.iter_mut().for_each(&change);
            Serve::Blocks(blocks)
        }))
    }

    /// Changes the whole answer.
    pub fn other(change: impl Fn(Vec<SealedBlock>) -> Vec<SealedBlock> + 'static) -> Self {
        Self(Box::new(move |blocks| Serve::Blocks(change(blocks))))
    }

    /// Never answers.
    pub fn never() -> Self {
        Self(Box::new(|_| Serve::Nothing))
    }
}
