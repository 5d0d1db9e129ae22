//! The pages that were used lately.

use super::page::{Page, PageKey};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

/// Pages of one generation: some 8 MiB. The upper levels of the largest tree are a part of it.
const GENERATION: usize = 4_096;

/// Pages in two generations: when the newer one is full the older one is forgotten, and what is used of the
/// older one becomes part of the newer.
#[derive(Debug, Default)]
pub(crate) struct PageCache(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    newer: HashMap<PageKey, Arc<Page>>,
    older: HashMap<PageKey, Arc<Page>>,
}

impl PageCache {
    /// The page, if it is here.
    pub(crate) fn get(&self, key: &PageKey) -> Option<Arc<Page>> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = generations.newer.get(key) {
            return Some(Arc::clone(page));
        }
        let page = generations.older.remove(key)?;
        generations.put(*key, Arc::clone(&page));
        Some(page)
    }

    /// Keeps a page, over what was kept of the same key.
    pub(crate) fn put(&self, key: PageKey, page: Arc<Page>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, page);
    }
}

impl Generations {
    fn put(&mut self, key: PageKey, page: Arc<Page>) {
        if self.newer.len() >= GENERATION {
            self.older = mem::take(&mut self.newer);
        }
        self.newer.insert(key, page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probata_types::Hash;

    fn key(number: u16) -> PageKey {
        let mut key = Hash::ZERO;
        key.0[..2].copy_from_slice(&number.to_be_bytes());
        PageKey::new(&key, 16)
    }

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let cache = PageCache::default();
        let page = Arc::new(Page::default());
        cache.put(key(0), Arc::clone(&page));
        for number in 1..=u16::try_from(3 * GENERATION).unwrap() {
            cache.put(key(number), Arc::clone(&page));
            assert!(cache.get(&key(0)).is_some(), "it is used all the time");
        }
        assert!(cache.get(&key(1)).is_none(), "it was not used again");
        let generations = cache.0.lock().unwrap();
        assert!(generations.newer.len() + generations.older.len() <= 2 * GENERATION);
    }
}
