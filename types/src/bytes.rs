//! Fixed-size byte strings: raw in canonical bytes, lower-case hex in JSON.

/// Declares a fixed-size byte string type. JSON takes exactly the lower-case hex of the bytes, so that
/// every value has one spelling.
macro_rules! byte_string {
    ($(#[$meta:meta])* $name:ident, $len:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = {
                assert!($len % 16 == 0, "written in words of 16 bytes");
                $len
            };

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), hex::encode(self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::hash::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0u8; $len];
                if text.len() != 2 * $len || text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err($crate::hash::HexError { bytes: $len });
                }
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| $crate::hash::HexError { bytes: $len })?;
                Ok(Self(bytes))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return serializer.collect_str(self);
                }
                // The bytes, bare: in words of 16, which in canonical bytes are big-endian, since a word
                // costs no more than a byte does.
                let (words, []) = self.0.as_chunks::<16>() else {
                    unreachable!("lengths are multiples of 16")
                };
                let mut tuple = serializer.serialize_tuple(words.len())?;
                for word in words {
                    let word = u128::from_be_bytes(*word);
                    serde::ser::SerializeTuple::serialize_element(&mut tuple, &word)?;
                }
                serde::ser::SerializeTuple::end(tuple)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Bytes;
                impl<'de> serde::de::Visitor<'de> for Bytes {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        write!(f, "{} lower-case hex digits", 2 * $len)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(
                        self,
                        mut seq: A,
                    ) -> Result<$name, A::Error> {
                        let mut bytes = [0u8; $len];
                        for (at, word) in bytes.as_chunks_mut::<16>().0.iter_mut().enumerate() {
                            let read: Option<u128> = seq.next_element()?;
                            let read = read
                                .ok_or_else(|| serde::de::Error::invalid_length(16 * at, &self))?;
                            *word = read.to_be_bytes();
                        }
                        Ok($name(bytes))
                    }
                }
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(Bytes)
                } else {
                    deserializer.deserialize_tuple($len / 16, Bytes)
                }
            }
        }
    };
}

pub(crate) use byte_string;
