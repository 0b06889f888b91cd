//! Multipart uploads: an object whose parts come one by one and which is there only once it is completed.
//!
//! Kept from the real one: parts by number, the last to come counts; the list of a completion must name known parts, in
//! ascending order, by their tags; all parts but the last have at least [`PART_MINIMUM_BYTES`]; an upload that is neither
//! completed nor aborted stays, and is no object.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::Reply;

/// 5 MiB.
pub(crate) const PART_MINIMUM_BYTES: usize = 5 << 20;

/// An upload under way.
pub(crate) struct Upload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) content_type: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// By number: tag and content.
    pub(crate) parts: BTreeMap<u32, (String, Bytes)>,
}

impl Upload {
    /// The object that a completion's list (`CompleteMultipartUpload` as XML) makes of the parts.
    pub(crate) fn completed(&self, list: &str) -> Result<Bytes, Reply> {
        let listed = parts_of(list);
        if listed.is_empty() {
            return Err(Reply::error(400, "MalformedXML", "The list names no part."));
        }
        if !listed.is_sorted_by(|one, next| one.0 < next.0) {
            return Err(Reply::error(
                400,
                "InvalidPartOrder",
                "The list of parts was not in ascending order.",
            ));
        }
        let mut content = BytesMut::new();
        for (position, (number, tag)) in listed.iter().enumerate() {
            let known = self.parts.get(number).filter(|(known, _)| known == tag);
            let (_, part) = known.ok_or_else(|| {
                Reply::error(
                    400,
                    "InvalidPart",
                    "One or more of the specified parts could not be found.",
                )
            })?;
            if part.len() < PART_MINIMUM_BYTES && position + 1 < listed.len() {
                return Err(Reply::error(
                    400,
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                ));
            }
            content.extend_from_slice(part);
        }
        Ok(content.freeze())
    }
}

/// Numbers and tags of `<Part>`s, in the order in which they stand.
fn parts_of(list: &str) -> Vec<(u32, String)> {
    let parts = list.split("<Part>").skip(1);
    let read = parts.filter_map(|part| {
        let number = element(part, "PartNumber")?.trim().parse().ok()?;
        Some((number, element(part, "ETag")?.replace("&quot;", "\"")))
    });
    read.collect()
}

/// The text of the first element of that name.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
