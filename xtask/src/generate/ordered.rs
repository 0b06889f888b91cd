//! YAML or JSON whose fields keep their order: what people read in the generated file stands as they wrote it.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;

/// A value of a source.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Node {
    /// Fields by name.
    Map(Map),
    /// A list.
    List(Vec<Node>),
    /// A text, a number, a truth value or null.
    Scalar(Value),
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(value) => value.as_str(),
            _ => None,
        }
    }

    /// The fields of a mapping.
    pub fn map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The fields of a mapping, to change them.
    pub fn map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }
}

/// Fields in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Map(pub Vec<(String, Node)>);

impl Map {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The value of a field, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0
            .iter_mut()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value)
    }

    /// Takes a field out.
    pub fn take(&mut self, name: &str) -> Option<Node> {
        let place = self.0.iter().position(|(field, _)| field == name)?;
        Some(self.0.remove(place).1)
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Map;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Map, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = access.next_entry()? {
                    fields.push(field);
                }
                Ok(Map(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
