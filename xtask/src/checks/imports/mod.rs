//! Whether the files of a crate need each other in a circle. What needs each other can only be read, tested and changed
//! together, whatever files it is spread over.
//!
//! A file *needs* another where its code names what the other defines. In detail:
//!
//! - Names are followed through `use`, re-exports and globs to the file that defines the item. So a `lib.rs` or `mod.rs`
//!   that declares and re-exports is transparent: who takes `Plan` from the crate's root needs `plan.rs`.
//! - `mod x;` needs nothing, nor does `pub use` by itself. A private `use` does, for it is there for the file's own code,
//!   and so does every path in the code and in macros' arguments, and a path in an attribute's text (`with = "a::b"`).
//! - A parent that uses what its child defines is no circle. A child that uses what its parent *defines* needs the
//!   parent, and if the parent uses the child, that is one.
//! - The modules of a folder, each with all that lies below it, are held to the same: that `read/capture.rs` needs
//!   `profile/column.rs` and `profile/mod.rs` needs `read/tokens.rs` is a circle of `read` and `profile`.
//! - A type may have `impl` blocks in several files. `self.f()` and `Type::f` need the file of the block that has `f`; other
//!   calls of methods are not followed, since that would take the types of all values.
//! - Code under `#[cfg(test)]` doesn't count, and tests, benches and examples are crates of their own.
//!
//! Each target is looked at for itself: the library, and every program of the crate.

mod circles;
mod module;
mod resolve;
mod rooms;

use anyhow::{Context, Result};
pub use circles::Circle;
pub use module::Sources;

/// The circles of a crate: the shortest of every group of files, or of folders, that all need each other.
///
/// # Errors
/// A file is not Rust, or a module's file is missing.
pub fn check(sources: &Sources) -> Result<Vec<Circle>> {
    let mut found = Vec::new();
    for root in sources.keys().filter(|path| is_root(path)) {
        let modules = module::tree(sources, root).with_context(|| format!("cannot follow the modules of {root}"))?;
        let needs = resolve::needs(&modules);
        let of_files = circles::find(&needs);
        // What stands in a circle of files would be told of their folders again.
        let new = |circle: &Circle| !of_files.iter().any(|files| files.spans(&circle.knot));
        found.extend(rooms::of(&needs).iter().flat_map(circles::find).filter(new));
        found.extend(of_files);
    }
    Ok(found)
}

/// Whether cargo builds a target of this file, by its place.
fn is_root(path: &str) -> bool {
    let program = path.strip_prefix("src/bin/").map(|rest| rest.trim_end_matches(".rs"));
    path == "src/lib.rs"
        || path == "src/main.rs"
        || program
            .is_some_and(|name| !name.contains('/') || name.split_once('/').is_some_and(|(_, file)| file == "main"))
}

#[cfg(test)]
mod tests;
