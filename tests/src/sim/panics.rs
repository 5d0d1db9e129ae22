//! A chain that panics is a failure of its own: where, and with what words.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does something that may panic; where it panicked, and why. Panics elsewhere are told as ever.
pub(super) fn caught<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if WATCHED.get() {
                PLACE.set(info.location().map(ToString::to_string));
            } else {
                before(info);
            }
        }));
    });
    WATCHED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(act));
    WATCHED.set(false);
    result.map_err(|reason| {
        let place = PLACE.take().unwrap_or_else(|| "an unknown place".to_owned());
        format!("{} at {place}", words(&*reason))
    })
}

fn words(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<String>().cloned();
    let text = text.or_else(|| reason.downcast_ref::<&str>().map(ToString::to_string));
    text.unwrap_or_else(|| "no words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        assert_eq!(caught(|| 3), Ok(3));
        let told = caught(|| assert!(std::hint::black_box(false), "no {}", "way")).unwrap_err();
        assert!(told.starts_with("no way at ") && told.contains("panics.rs:"), "{told}");
    }
}
