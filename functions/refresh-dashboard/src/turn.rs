//! Turns at writing an object that several calls make at once.

use crate::error::Error;
use platform::Documents;
use platform::documents::Condition;

/// A turn at writing an object: taken before what it is made of is read, and lost when somebody else has written the
/// object by the time that it is made.
///
/// So whoever writes has read what it is made of after the object of before was written: a page never goes back to an
/// older state. A call that has lost its turn twice may stop: whoever took the second turn from it took its own after the
/// first was lost, so has read all that this call was called for.
pub(crate) struct Turn<'a> {
    key: &'a str,
    etag: Option<String>,
}

impl<'a> Turn<'a> {
    /// So many turns are enough, whether they are lost or not.
    pub(crate) const ENOUGH: u32 = 2;

    pub(crate) async fn take(documents: &Documents, key: &'a str) -> Result<Self, Error> {
        let etag = documents.etag(key).await?;
        Ok(Self { key, etag })
    }

    pub(crate) fn condition(&self) -> Condition<'_> {
        self.etag.as_deref().map_or(Condition::Absent, Condition::Unchanged)
    }

    /// Writes the page, unless the turn was lost; whether it was written.
    pub(crate) async fn put_page(&self, documents: &Documents, page: String) -> Result<bool, Error> {
        let body = page.into_bytes();
        let put = documents.put_bytes_if(self.key, "text/html; charset=utf-8", body, self.condition());
        Ok(put.await?.is_some())
    }
}
