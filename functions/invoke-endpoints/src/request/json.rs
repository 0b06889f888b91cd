//! Reads a JSON request in one pass. It borrows from the body, keeps a field's value only if a column could accept it,
//! and keeps every field, including duplicates.

use super::{Instances, MAX_INSTANCES, Request, Sent, WRAP, shown};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

impl<'de: 'a, 'a> Deserialize<'de> for Request<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = Request<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `instances`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut inference_id, mut instances) = (None, None);
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "inference_id" if inference_id.is_some() => return Err(A::Error::duplicate_field("inference_id")),
                "instances" if instances.is_some() => return Err(A::Error::duplicate_field("instances")),
                "inference_id" => inference_id = Some(map.next_value::<Option<Text>>()?.map(|Text(id)| id)),
                "instances" => instances = Some(map.next_value_seed(InstancesVisitor)?),
                other => {
                    let other = shown(other);
                    return Err(A::Error::custom(format!("unknown field `{other}`; {WRAP}")));
                }
            }
        }
        Ok(Request {
            inference_id: inference_id.flatten(),
            instances: instances.ok_or_else(|| A::Error::custom(format!("there is no `instances`; {WRAP}")))?,
        })
    }
}

struct InstancesVisitor;

impl<'de> DeserializeSeed<'de> for InstancesVisitor {
    type Value = Instances<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for InstancesVisitor {
    type Value = Instances<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of instances")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut instances = Vec::new();
        // One instance more than allowed is enough to know that there are too many; the rest is skipped.
        while instances.len() <= MAX_INSTANCES {
            match seq.next_element()? {
                Some(Fields(fields)) => instances.push(fields),
                None => return Ok(Instances::Json(instances)),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Instances::Json(instances))
    }
}

/// The fields of an instance.
struct Fields<'a>(Vec<(Cow<'a, str>, Sent<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an instance: an object from column to value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A text that is borrowed unless it has escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Sent::deserialize(deserializer)? {
            Sent::Text(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a text is wanted here")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Sent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SentVisitor)
    }
}

struct SentVisitor;

impl<'de> Visitor<'de> for SentVisitor {
    type Value = Sent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Sent::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Sent::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "models read doubles, too")]
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Sent::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "models read doubles, too")]
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Sent::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Sent::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Sent::Text(Cow::Borrowed(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Sent::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Sent::Object)
    }
}
