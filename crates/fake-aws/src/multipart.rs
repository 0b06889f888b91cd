//! Multipart uploads: an object is uploaded part by part, and exists only once the upload is completed.
//!
//! As with the real one: parts are identified by number, and the last upload of a number counts; the list of a
//! completion must name known parts, in ascending order, with their tags; all parts but the last have at least
//! [`PART_MINIMUM_BYTES`]; an upload that is neither completed nor aborted persists, without being an object.

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
    /// Tag and content of each part, by its number.
    pub(crate) parts: BTreeMap<u32, (String, Bytes)>,
}

impl Upload {
    /// Assembles the object from the parts listed in a completion (`CompleteMultipartUpload` as XML).
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

/// Numbers and tags of the `<Part>` elements, in document order.
fn parts_of(list: &str) -> Vec<(u32, String)> {
    let parts = list.split("<Part>").skip(1);
    let read = parts.filter_map(|part| {
        let number = element(part, "PartNumber")?.trim().parse().ok()?;
        Some((number, element(part, "ETag")?.replace("&quot;", "\"")))
    });
    read.collect()
}

/// The text of the first element with this name.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
