//! The shapes of a service model.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A shape by its name.
#[derive(Debug, Deserialize)]
pub struct ShapeRef {
    pub shape: String,
}

/// What a value may be.
#[derive(Debug, Deserialize)]
pub struct Shape {
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default)]
    pub members: BTreeMap<String, ShapeRef>,
    /// Of a list.
    pub member: Option<ShapeRef>,
    /// Of a map.
    pub key: Option<ShapeRef>,
    /// Of a map.
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

/// The kinds of values.
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
