//! Circles that are let pass, each with its reason, until they are mended: they may not grow.

use super::Circle;

/// A circle that is let pass.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The folder of the crate.
    pub krate: &'static str,
    /// One of its files.
    pub file: &'static str,
    /// How many files are entangled.
    pub files: usize,
    /// Why it is there.
    pub why: &'static str,
}

/// What is to be said of a crate.
#[derive(Debug, Default)]
pub struct Judged {
    /// Circles that nobody knows of, and entries of the list that are not true.
    pub mistakes: Vec<String>,
    /// Circles that are let pass, with their reasons.
    pub known: Vec<String>,
}

/// Holds a crate's circles against those that are known.
pub fn judge(krate: &str, found: &[Circle], known: &[Known]) -> Judged {
    let mut judged = Judged::default();
    let of_crate: Vec<&Known> = known.iter().filter(|it| it.krate == krate).collect();
    let of_circle = |circle: &Circle| of_crate.iter().find(|it| circle.knot.contains(it.file));
    for circle in found {
        let files = circle.knot.len();
        match of_circle(circle) {
            None => judged.mistakes.push(format!("{krate}: {circle}")),
            Some(it) if it.files != files => judged.mistakes.push(format!(
                "{krate}: the circle of {} has {files} files, and {} are known: {circle}",
                it.file, it.files
            )),
            Some(it) => judged.known.push(format!("{krate}: {files} files, {}", it.why)),
        }
    }
    for it in &of_crate {
        if !found.iter().any(|circle| circle.knot.contains(it.file)) {
            judged.mistakes.push(format!(
                "{krate}: {} is in no circle any more: take it out of the list of those that are known",
                it.file
            ));
        }
    }
    judged
}
