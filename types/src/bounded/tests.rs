use super::*;
use crate::codec;

type Short = Text<8>;
type Few = List<u8, 3>;

#[test]
fn text_is_measured_in_bytes() {
    assert_eq!(&*Short::new("12345678").unwrap(), "12345678");
    assert_eq!(Short::new("123456789"), Err(TextError::TooLong { got: 9, max: 8 }));
    // Three bytes each.
    assert!(Short::new("证据").is_ok());
    assert_eq!(Short::new("证据链"), Err(TextError::TooLong { got: 9, max: 8 }));
    assert!(Short::new("").is_ok());
}

#[test]
fn text_has_one_spelling() {
    assert!(Short::new("é").is_ok());
    assert_eq!(Short::new("e\u{301}"), Err(TextError::NotNfc));
    // The Kelvin sign looks like K and normalizes to it.
    assert_eq!(Short::new("\u{212a}"), Err(TextError::NotNfc));
}

#[test]
fn text_hides_nothing() {
    let hidden = [
        '\0', '\n', '\r', '\t', '\u{7f}', '\u{85}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{202a}',
        '\u{202e}', '\u{2060}', '\u{2066}', '\u{2069}', '\u{feff}',
    ];
    for c in hidden {
        assert_eq!(Short::new(format!("a{c}b")), Err(TextError::Control), "{c:?}");
    }
    assert!(Short::new("a b").is_ok());
}

#[test]
fn text_is_checked_wherever_it_comes_from() {
    for (json, holds) in [
        ("\"abc\"", true),
        ("\"\\u8bc1\"", true),
        ("\"123456789\"", false),
        ("\"e\\u0301\"", false),
        ("\"a\\nb\"", false),
        ("1", false),
        ("null", false),
    ] {
        assert_eq!(serde_json::from_str::<Short>(json).is_ok(), holds, "{json}");
    }
    let bytes = codec::encode(&"123456789");
    assert!(codec::decode::<Short>(&bytes, 64).is_err());
    let bytes = codec::encode(&"12345678");
    assert_eq!(codec::decode::<Short>(&bytes, 64), Ok(Short::new("12345678").unwrap()));
    // Not UTF-8.
    let bytes = codec::encode(&vec![0xffu8, 0xfe]);
    assert!(codec::decode::<Short>(&bytes, 64).is_err());
}

#[test]
fn text_is_written_bare() {
    let text = Short::new("证").unwrap();
    assert_eq!(serde_json::to_string(&text).unwrap(), "\"证\"");
    assert_eq!(codec::encode(&text), codec::encode(&"证"));
    assert_eq!(format!("{text} {text:?}"), "证 \"证\"");
}

#[test]
fn a_list_is_counted() {
    let mut list = Few::new(vec![1, 2]).unwrap();
    assert_eq!(list.push(3), Ok(()));
    assert_eq!(list.push(4), Err(ListError { max: 3 }));
    assert_eq!(&*list, [1, 2, 3]);
    list.as_mut_slice().reverse();
    assert_eq!(list.clone().into_vec(), [3, 2, 1]);
    assert_eq!(Few::new(vec![0; 4]), Err(ListError { max: 3 }));
    assert!(Few::empty().is_empty() && Few::default().is_empty());
    assert_eq!((&list).into_iter().copied().sum::<u8>(), 6);
}

#[test]
fn a_list_is_counted_wherever_it_comes_from() {
    for (json, holds) in [
        ("[]", true),
        ("[1,2,3]", true),
        ("[1,2,3,4]", false),
        ("[1,256]", false),
        ("{}", false),
        ("null", false),
    ] {
        assert_eq!(serde_json::from_str::<Few>(json).is_ok(), holds, "{json}");
    }
    let bytes = codec::encode(&vec![1u8, 2, 3]);
    assert_eq!(codec::decode::<Few>(&bytes, 64), Ok(Few::new(vec![1, 2, 3]).unwrap()));
    assert_eq!(codec::encode(&Few::new(vec![1, 2, 3]).unwrap()), bytes);
    assert!(codec::decode::<Few>(&codec::encode(&vec![0u8; 4]), 64).is_err());
}
