//! How a JSON object of Binance's becomes a struct.
//!
//! Fields are read by name in any order, unknown ones are skipped, `null` means that a field is not
//! there, and whatever is wrong is said with the field's name. Nothing is copied that can be borrowed.

mod values;

pub use values::{Number, Raw, Stamp, Text};

/// Declares a struct and how it is read: `field "its name on the wire": must Type` (its absence is an
/// error) or `may Type` (an `Option`).
macro_rules! wire {
    ($(#[$doc:meta])* pub struct $name:ident$(<$life:lifetime>)? {
        $($(#[$field_doc:meta])* $field:ident $key:literal: $need:ident $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name$(<$life>)? { $($(#[$field_doc])* pub $field: wire!(@type $need $type),)* }

        impl<'de $(: $life, $life)?> serde::Deserialize<'de> for $name$(<$life>)? {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
                use std::{fmt, marker::PhantomData};

                #[allow(non_camel_case_types)]
                enum Key { $($field,)* Unknown }
                struct KeyReader;
                impl Visitor<'_> for KeyReader {
                    type Value = Key;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("the name of a field")
                    }
                    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Key, E> {
                        Ok(match key { $($key => Key::$field,)* _ => Key::Unknown })
                    }
                }
                impl<'de> serde::Deserialize<'de> for Key {
                    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                        from.deserialize_identifier(KeyReader)
                    }
                }

                struct Reader$(<$life>)?(PhantomData<$(&$life)? ()>);
                impl<'de $(: $life, $life)?> Visitor<'de> for Reader$(<$life>)? {
                    type Value = $name$(<$life>)?;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an object with the fields of a ", stringify!($name)))
                    }
                    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                        $(let mut $field: Option<$type> = None;)*
                        while let Some(key) = map.next_key::<Key>()? {
                            match key {
                                $(Key::$field => {
                                    if $field.is_some() {
                                        return Err(M::Error::duplicate_field($key));
                                    }
                                    $field = map.next_value::<Option<$type>>()
                                        .map_err(|e| M::Error::custom(format_args!("field `{}`: {e}", $key)))?;
                                })*
                                Key::Unknown => { map.next_value::<IgnoredAny>()?; }
                            }
                        }
                        Ok($name { $($field: wire!(@take $need $field $key, M),)* })
                    }
                }
                from.deserialize_map(Reader(PhantomData))
            }
        }
    };
    (@type must $type:ty) => { $type };
    (@type may $type:ty) => { Option<$type> };
    (@take must $field:ident $key:literal, $map:ident) => {
        match $field {
            Some(value) => value,
            None => return Err($map::Error::missing_field($key)),
        }
    };
    (@take may $field:ident $key:literal, $map:ident) => { $field };
}

pub(crate) use wire;
