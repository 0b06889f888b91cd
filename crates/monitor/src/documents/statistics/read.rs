//! Reading of `statistics.json`.

use super::{Bucket, Category, Detail, Feature, InferredType, Numeric, Statistics, Text};
use crate::documents::error::DocumentError;
use crate::documents::fields::{Fields, Source};
use crate::documents::json::{self, Node};

impl Statistics {
    /// Reads a file written by the contract's analyzer or by this one; unknown members are ignored. `name` is the name
    /// of the file for the error, which gives the place.
    pub fn parse(text: &str, name: &str) -> Result<Self, DocumentError> {
        parse(text, name)
    }
}

fn parse(text: &str, name: &str) -> Result<Statistics, DocumentError> {
    let source = Source { text, name };
    let root = json::parse(text, name)?;
    let root = source.object(&root, "the document")?;
    let dataset = source.object(root.required("dataset")?, "dataset")?;
    let rows = source.count(dataset.required("item_count")?, "item_count")?;
    let features = source.array(root.required("features")?, "features")?;
    let features = features
        .iter()
        .map(|node| feature(source, node, rows))
        .collect::<Result<_, _>>()?;
    Ok(Statistics { rows, features })
}

fn feature(source: Source<'_>, node: &Node, rows: u64) -> Result<Feature, DocumentError> {
    let fields = source.object(node, "features")?;
    let name = source.text(fields.required("name")?, "name")?.to_owned();
    let types = InferredType::ALL.map(|kind| (kind.as_str(), kind));
    let inferred_type = source.word(fields.required("inferred_type")?, "inferred_type", &types)?;
    let numbers = fields.object("numerical_statistics")?;
    let text = fields.object("string_statistics")?;
    let (statistics, detail) = match (numbers, text, inferred_type) {
        (Some(numbers), None, InferredType::Integral | InferredType::Fractional) => {
            (numbers, Detail::Numeric(numeric(&numbers)?))
        }
        (None, Some(text), InferredType::String | InferredType::Unknown) => (text, Detail::Text(strings(&text)?)),
        (Some(numbers), None, InferredType::Unknown) => (numbers, Detail::Text(Text::default())),
        (None, None, InferredType::Unknown) => {
            let detail = Detail::Text(Text::default());
            return Ok(Feature {
                name,
                inferred_type,
                present: 0,
                missing: rows,
                detail,
            });
        }
        (_, _, InferredType::Integral | InferredType::Fractional) => {
            let what = format!(
                "a column of type {} has `numerical_statistics` alone",
                inferred_type.as_str()
            );
            return Err(source.error(node, what));
        }
        (_, _, InferredType::String | InferredType::Unknown) => {
            let what = format!(
                "a column of type {} has `string_statistics` alone",
                inferred_type.as_str()
            );
            return Err(source.error(node, what));
        }
    };
    let common = source.object(statistics.required("common")?, "common")?;
    let present = source.count(common.required("num_present")?, "num_present")?;
    let missing = source.count(common.required("num_missing")?, "num_missing")?;
    Ok(Feature {
        name,
        inferred_type,
        present,
        missing,
        detail,
    })
}

fn numeric(fields: &Fields<'_>) -> Result<Numeric, DocumentError> {
    let source = fields.source;
    let number = |fields: &Fields<'_>, key: &str| source.number(fields.required(key)?, key);
    let (mut buckets, mut levels) = (Vec::new(), Vec::new());
    let distribution = fields.object("distribution")?;
    if let Some(kll) = distribution
        .map(|distribution| distribution.object("kll"))
        .transpose()?
        .flatten()
    {
        for node in kll.optional("buckets", Source::array)?.unwrap_or_default() {
            let bucket = source.object(node, "buckets")?;
            buckets.push(Bucket {
                lower_bound: number(&bucket, "lower_bound")?,
                upper_bound: number(&bucket, "upper_bound")?,
                count: number(&bucket, "count")?,
            });
        }
        if let Some(sketch) = kll.object("sketch")? {
            for level in sketch.optional("data", Source::array)?.unwrap_or_default() {
                let items = source.array(level, "data")?;
                levels.push(
                    items
                        .iter()
                        .map(|item| source.number(item, "data"))
                        .collect::<Result<_, _>>()?,
                );
            }
        }
    }
    Ok(Numeric {
        mean: number(fields, "mean")?,
        sum: number(fields, "sum")?,
        std_dev: number(fields, "std_dev")?,
        min: number(fields, "min")?,
        max: number(fields, "max")?,
        buckets,
        levels,
    })
}

fn strings(fields: &Fields<'_>) -> Result<Text, DocumentError> {
    let source = fields.source;
    let distinct_count = source.count(fields.required("distinct_count")?, "distinct_count")?;
    let distribution = fields.object("distribution")?;
    let categorical = distribution
        .map(|distribution| distribution.object("categorical"))
        .transpose()?
        .flatten();
    let categories = match categorical {
        None => None,
        Some(categorical) => {
            let buckets = categorical.optional("buckets", Source::array)?.unwrap_or_default();
            let category = |node: &Node| {
                let bucket = source.object(node, "buckets")?;
                Ok(Category {
                    value: source.text(bucket.required("value")?, "value")?.to_owned(),
                    count: source.count(bucket.required("count")?, "count")?,
                })
            };
            Some(buckets.iter().map(category).collect::<Result<_, _>>()?)
        }
    };
    Ok(Text {
        distinct_count,
        categories,
    })
}
