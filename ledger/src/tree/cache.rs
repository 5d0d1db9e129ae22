//! The pages that were used lately, and those of the upper levels, which nearly every key comes by.

use super::{
    CROWN_LEVELS, Node,
    page::{PAGE_LEVELS, Page, PageKey},
};
use probata_types::Hash;
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

/// Pages of one generation: some 8 MiB.
const GENERATION: usize = 16_384;

/// Pages in two generations: when the newer one is full the older one is forgotten, and what is used of the
/// older one becomes part of the newer. Those of the crown are never forgotten: there are 69,905 at most, some 60 MiB.
#[derive(Debug, Default)]
pub(crate) struct PageCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By [`PageKey::in_crown`].
    crown: Vec<Option<Arc<Page>>>,
    newer: HashMap<PageKey, Arc<Page>>,
    older: HashMap<PageKey, Arc<Page>>,
}

impl PageCache {
    /// The page, if it is here.
    pub(crate) fn get(&self, key: &PageKey) -> Option<Arc<Page>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = key.in_crown() {
            return kept.crown.get(place).cloned().flatten();
        }
        if let Some(page) = kept.newer.get(key) {
            return Some(Arc::clone(page));
        }
        let page = kept.older.remove(key)?;
        kept.put(*key, Arc::clone(&page));
        Some(page)
    }

    /// Where the way of a key leads out of the lowest page of the crown, if that page is here; then it is the newest
    /// one, since a page is kept as soon as it is made.
    pub(super) fn below_crown(&self, key: &Hash) -> Option<Node> {
        let depth = CROWN_LEVELS - PAGE_LEVELS;
        let place = PageKey::new(key, depth).in_crown().expect("it is of the crown");
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = kept.crown.get(place)?.as_ref()?;
        Some(page.on_the_way(key, depth))
    }

    /// Keeps a page, over what was kept of the same key.
    pub(crate) fn put(&self, key: PageKey, page: Arc<Page>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, page);
    }
}

impl Kept {
    fn put(&mut self, key: PageKey, page: Arc<Page>) {
        if let Some(place) = key.in_crown() {
            if self.crown.len() <= place {
                self.crown.resize(place + 1, None);
            }
            self.crown[place] = Some(page);
            return;
        }
        if self.newer.len() >= GENERATION {
            self.older = mem::take(&mut self.newer);
        }
        self.newer.insert(key, page);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::page::OpenPage, *};
    use probata_types::Suite;

    const SUITE: Suite = Suite::Blake3Ed25519;

    fn key(number: u16, depth: usize) -> PageKey {
        let mut key = Hash::ZERO;
        key.0[..2].copy_from_slice(&number.to_be_bytes());
        PageKey::new(&key, depth)
    }

    #[test]
    fn what_is_used_and_the_crown_stay_and_the_rest_is_forgotten() {
        let cache = PageCache::default();
        let page = Arc::new(OpenPage::default().close(SUITE));
        cache.put(key(0, 20), Arc::clone(&page));
        cache.put(key(1, 16), Arc::clone(&page));
        for number in 1..=u16::try_from(3 * GENERATION).unwrap() {
            cache.put(key(number, 20), Arc::clone(&page));
            assert!(cache.get(&key(0, 20)).is_some(), "it is used all the time");
        }
        assert!(cache.get(&key(1, 20)).is_none(), "it was not used again");
        assert!(cache.get(&key(1, 16)).is_some(), "it is of the crown");
        let kept = cache.0.lock().unwrap();
        assert!(kept.newer.len() + kept.older.len() <= 2 * GENERATION);
    }
}
