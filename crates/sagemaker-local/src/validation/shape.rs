//! The shapes of a service model.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A reference to a shape by name.
#[derive(Debug, Deserialize)]
pub struct ShapeRef {
    pub shape: String,
}

/// The definition of a shape: the values that it allows.
#[derive(Debug, Deserialize)]
pub struct Shape {
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default)]
    pub members: BTreeMap<String, ShapeRef>,
    /// The elements of a list.
    pub member: Option<ShapeRef>,
    /// The keys of a map.
    pub key: Option<ShapeRef>,
    /// The values of a map.
    pub value: Option<ShapeRef>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub pattern: Option<String>,
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
    #[serde(default)]
    pub union: bool,
    #[serde(default)]
    pub sensitive: bool,
}

/// The types of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Structure,
    List,
    Map,
    String,
    Character,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
}
