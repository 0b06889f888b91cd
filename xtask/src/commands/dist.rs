//! stub
use crate::layout::Layout;
use anyhow::Result;
use clap::Args;
/// Stub.
#[derive(Debug, Args)]
#[command(after_help = "cargo xtask dist")]
pub struct Dist {}
impl Dist {
    pub async fn run(&self, _layout: &Layout) -> Result<()> { Ok(()) }
}
