//! AWS's patterns, which are Java's regular expressions and must match a whole value.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fancy_regex::Regex;

/// Compiled patterns. Most of a model's patterns are never used, so each is compiled when it is first needed.
#[derive(Debug, Default)]
pub struct Patterns {
    compiled: Mutex<HashMap<String, Option<Arc<Regex>>>>,
}

impl Patterns {
    /// Whether the pattern matches the whole of `text`. A pattern that can't be compiled or evaluated matches
    /// everything.
    pub fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let regex = match compiled.get(pattern) {
            Some(regex) => regex.clone(),
            None => {
                let regex = compile(pattern).map(Arc::new);
                if regex.is_none() {
                    tracing::warn!(
                        pattern,
                        "a pattern of a service model is not understood; it is not checked"
                    );
                }
                compiled.insert(pattern.to_owned(), regex.clone());
                regex
            }
        };
        drop(compiled);
        regex.is_none_or(|regex| regex.is_match(text).unwrap_or(true))
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    fancy_regex::RegexBuilder::new(&format!(r"\A(?:{})\z", translated(pattern)))
        .delegate_size_limit(64 * 1024 * 1024)
        .build()
        .ok()
}

/// Converts a Java pattern to the syntax of our library.
///
/// Java's `\w`, `\d` and `\s` are limited to ASCII; in our library they cover Unicode, which would accept more and
/// compile slowly. Java's `\p{Print}` and `\p{Alnum}` don't exist there, nor do surrogate pairs or a repeated `$`.
fn translated(pattern: &str) -> String {
    let pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}");
    let mut translated = String::with_capacity(pattern.len() + 16);
    let mut class_depth = 0_usize;
    let mut rest = pattern.as_str();
    while let Some(c) = rest.chars().next() {
        let class = CLASSES
            .iter()
            .find_map(|(java, members)| rest.strip_prefix(java).map(|after| (*members, after)));
        rest = match (c, class) {
            (_, Some((members, after))) => {
                match class_depth {
                    0 => translated.extend(["[", members, "]"]),
                    _ => translated.push_str(members),
                }
                after
            }
            ('\\', None) => {
                let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
                let (escape, after) = rest.split_at(1 + escaped);
                translated.push_str(escape);
                after
            }
            ('$', None) if class_depth == 0 && rest.starts_with("${") => {
                translated.push('$');
                rest.split_once('}').map_or("", |(_, after)| after)
            }
            _ => {
                match c {
                    '[' => class_depth += 1,
                    ']' => class_depth = class_depth.saturating_sub(1),
                    _ => {}
                }
                translated.push(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    translated
}

/// Java's character classes, and their content.
const CLASSES: [(&str, &str); 5] = [
    (r"\w", "0-9A-Za-z_"),
    (r"\d", "0-9"),
    (r"\s", r"\t\n\x0B\f\r "),
    (r"\p{Print}", " -~"),
    (r"\p{Alnum}", "0-9A-Za-z"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_value_must_match() {
        let patterns = Patterns::default();
        let name = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}";
        assert!(patterns.matches(name, "cars-1"));
        assert!(!patterns.matches(name, "cars_1"));
        assert!(!patterns.matches(name, "cars-1\n"));
        assert!(!patterns.matches("a|b", "ab"));
    }

    #[test]
    fn classes_are_ascii_inside_and_outside_of_brackets() {
        let patterns = Patterns::default();
        assert!(patterns.matches(r"\w+[\d\s]", "a_Z0 "));
        assert!(!patterns.matches(r"\w+", "é"));
        assert!(!patterns.matches(r"[\w]+", "é"));
        assert!(patterns.matches(r"\[\w\]", "[a]"));
    }

    #[test]
    fn javas_own_syntax_is_translated() {
        let patterns = Patterns::default();
        let tag = r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}";
        assert!(patterns.matches(tag, "Größe 1"));
        assert!(!patterns.matches(tag, "a#b"));
        assert!(patterns.matches(r"\A\S[\p{Print}]*\z", "a b"));
        assert!(!patterns.matches(r"\p{Print}+", "é"));
        let text = r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*";
        assert!(patterns.matches(text, "a😀"));
        assert!(!patterns.matches(text, "a\n"));
    }

    #[test]
    fn look_ahead_is_understood() {
        let patterns = Patterns::default();
        assert!(patterns.matches(r"^(?!aws:).*$", "team"));
        assert!(!patterns.matches(r"^(?!aws:).*$", "aws:team"));
    }

    #[test]
    fn what_is_not_understood_is_not_checked() {
        assert!(Patterns::default().matches("(", "anything"));
    }
}
