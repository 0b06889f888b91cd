//! `model.tar.gz` and `output.tar.gz`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::s3::{S3, S3Error, S3Uri};

/// Why a model's archive could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    S3(#[from] S3Error),
    #[error("{uri} is not a gzipped tar archive: {source}")]
    Unpack { uri: S3Uri, source: io::Error },
}

/// Fetches a `model.tar.gz` and unpacks it into `dir`, which is created.
///
/// # Errors
/// [`ArchiveError`], naming the object.
pub async fn fetch(s3: &S3, uri: &S3Uri, dir: &Path) -> Result<(), ArchiveError> {
    let unpack_error = |source| ArchiveError::Unpack {
        uri: uri.clone(),
        source,
    };
    std::fs::create_dir_all(dir).map_err(unpack_error)?;
    let archive = dir.with_extension("tar.gz.part");
    s3.download_file(uri, &archive).await?;
    let unpacked = unpack(archive.clone(), dir.to_owned()).await;
    let _ = std::fs::remove_file(&archive);
    unpacked.map_err(unpack_error)
}

/// Packs the content of `dir` into `archive`.
///
/// # Errors
/// A file cannot be read, or the archive cannot be written.
pub async fn pack(dir: PathBuf, archive: PathBuf) -> io::Result<()> {
    blocking(move || {
        let mut builder = tar::Builder::new(GzEncoder::new(File::create(&archive)?, Compression::fast()));
        builder.follow_symlinks(false);
        builder.append_dir_all(".", &dir)?;
        builder.into_inner()?.finish()?;
        Ok(())
    })
    .await
}

async fn unpack(archive: PathBuf, dir: PathBuf) -> io::Result<()> {
    // `unpack` skips entries that point outside of the directory.
    blocking(move || tar::Archive::new(GzDecoder::new(File::open(&archive)?)).unpack(&dir)).await
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_packed_unpacks() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("model");
        std::fs::create_dir_all(model.join("code")).unwrap();
        std::fs::write(model.join("code/inference.py"), "x").unwrap();
        let archive = dir.path().join("model.tar.gz");
        pack(model, archive.clone()).await.unwrap();
        unpack(archive, dir.path().join("again")).await.unwrap();
        assert_eq!(
            std::fs::read_to_string(dir.path().join("again/code/inference.py")).unwrap(),
            "x"
        );
    }
}
