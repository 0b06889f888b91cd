//! Counts passed and failed tests in the output of their runners.

/// The result of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
}

impl Count {
    /// The count for a single check.
    pub fn of(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
        }
    }
}

impl std::ops::Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

/// Counts `test result: ok. 12 passed; 0 failed; …` of every test binary, or nextest's `Summary … 12 passed, 1 failed`.
pub fn of_cargo(text: &str) -> Count {
    let mut count = Count::default();
    for line in text
        .lines()
        .filter(|line| line.contains("test result:") || line.trim_start().starts_with("Summary "))
    {
        count.passed += number_before(line, "passed");
        count.failed += number_before(line, "failed") + number_before(line, "timed out");
    }
    count
}

/// The names in lines such as `test NAME ... FAILED`.
pub fn failed_of_cargo(text: &str) -> Vec<String> {
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    names.map(str::to_owned).collect()
}

/// Counts pytest's last line: `12 passed, 1 failed, 1 error in 3.4s`.
pub fn of_pytest(text: &str) -> Count {
    let line = text.lines().rev().find(|line| {
        line.contains(" in ") && (line.contains("passed") || line.contains("failed") || line.contains("error"))
    });
    let line = line.unwrap_or_default();
    Count {
        passed: number_before(line, "passed"),
        failed: number_before(line, "failed") + number_before(line, "error"),
    }
}

/// Counts the last lines of Node's test runner: `# pass 12`, `# fail 1`, `# cancelled 0`.
pub fn of_node(text: &str) -> Count {
    let number_after = |word: &str| -> u64 {
        let mut lines = text.lines().rev();
        let number = lines.find_map(|line| line.strip_prefix("# ")?.strip_prefix(word)?.trim().parse().ok());
        number.unwrap_or_default()
    };
    Count {
        passed: number_after("pass "),
        failed: number_after("fail ") + number_after("cancelled "),
    }
}

/// The number directly before a word.
fn number_before(line: &str, word: &str) -> u64 {
    let before = line
        .split(word)
        .next()
        .filter(|before| before.len() < line.len())
        .unwrap_or_default();
    let digits: Vec<char> = before
        .trim_end()
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.iter().rev().collect::<String>().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_in_every_runners_words() {
        let cargo = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored\n";
        assert_eq!(of_cargo(cargo), Count { passed: 14, failed: 1 });
        let text = "test a::b ... ok\ntest a::c ... FAILED\ntest a::d has been running for over 60 seconds\n";
        assert_eq!(failed_of_cargo(text), ["a::c"]);
        let nextest = "     Summary [   0.655s] 37 tests run: 36 passed (1 slow), 1 failed, 2 skipped\n";
        assert_eq!(of_cargo(nextest), Count { passed: 36, failed: 1 });
        let node = "# pass as you like\n1..3\n# tests 3\n# suites 1\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 0\n";
        assert_eq!(of_node(node), Count { passed: 2, failed: 1 });
        let pytest = "..F\n=== short test summary info ===\nFAILED x\n1 failed, 12 passed, 2 errors in 3.40s\n";
        assert_eq!(of_pytest(pytest), Count { passed: 12, failed: 3 });
        assert_eq!(
            of_pytest("31 passed, 1 warning in 12.2s (0:00:12)"),
            Count { passed: 31, failed: 0 }
        );
    }
}
