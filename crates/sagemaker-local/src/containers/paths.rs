//! Mapping of `/opt/ml`, as containers see it, to the directory that takes its place.

use std::path::{Path, PathBuf};

const OPT_ML: &str = "/opt/ml";

/// The local path for a path under `/opt/ml`; `None` for any other path, and for one that leaves it with `..`.
pub fn local_path(path: &str, base_dir: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix(OPT_ML)?;
    if rest.split('/').any(|part| part == "..") {
        return None;
    }
    match rest.strip_prefix('/') {
        Some(relative) => Some(base_dir.join(relative.trim_start_matches('/'))),
        None => rest.is_empty().then(|| base_dir.to_owned()),
    }
}

/// Replaces a leading `/opt/ml` by the container's directory, in a word of a command or the value of a variable. In an
/// option, the path may also follow the `=` (`--data=/opt/ml/…`).
pub fn rewrite(word: &str, base_dir: &Path) -> String {
    let (option, path) = match word.split_once('=') {
        Some((option, path)) if word.starts_with('-') => (Some(option), path),
        _ => (None, word),
    };
    match (local_path(path, base_dir), option) {
        // `join` would drop a trailing slash, which some programs read.
        (Some(_), option) => {
            let local = format!("{}{}", base_dir.display(), &path[OPT_ML.len()..]);
            option.map_or(local.clone(), |option| format!("{option}={local}"))
        }
        (None, _) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_opt_ml_is_replaced() {
        let rewritten = |word| rewrite(word, Path::new("/data/c1"));
        assert_eq!(rewritten("/opt/ml"), "/data/c1");
        assert_eq!(rewritten("/opt/ml/input/"), "/data/c1/input/");
        assert_eq!(rewritten("--data=/opt/ml/input"), "--data=/data/c1/input");
        assert_eq!(rewritten("/opt/mlx"), "/opt/mlx");
        assert_eq!(rewritten("see /opt/ml/input"), "see /opt/ml/input");
        assert_eq!(rewritten("key=/opt/ml/input"), "key=/opt/ml/input");
        assert_eq!(rewritten("/opt/ml/../../etc"), "/opt/ml/../../etc");
    }

    #[test]
    fn local_paths_stay_below_the_base() {
        let local = |path| local_path(path, Path::new("/data/c1"));
        assert_eq!(local("/opt/ml/processing/in"), Some("/data/c1/processing/in".into()));
        assert_eq!(local("/opt/ml//etc"), Some("/data/c1/etc".into()));
        assert_eq!(local("/opt/ml/a/../../b"), None);
        assert_eq!(local("/tmp/x"), None);
    }
}
