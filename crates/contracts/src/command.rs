//! The commands that mails and messages suggest.

/// The stack that `drivetrain` uses when none is named; the default of the template's parameter `Prefix`.
pub const DEFAULT_STACK: &str = "drivetrain";

/// A `drivetrain` command line that can be pasted as it is: it names the stack, unless that is [`DEFAULT_STACK`].
pub fn command(stack: &str, words: &str) -> String {
    if stack == DEFAULT_STACK {
        format!("drivetrain {words}")
    } else {
        format!("drivetrain {words} --stack {stack}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_every_stack_but_the_default() {
        let words = "approve cars xgboost 20261122t183000z-ab12cd34";
        assert_eq!(command("drivetrain", words), format!("drivetrain {words}"));
        assert_eq!(command("prod", words), format!("drivetrain {words} --stack prod"));
    }

    #[test]
    fn the_template_has_the_same_default() {
        let template = include_str!("../../../template.yaml");
        let parameter = template.split("\n  Prefix:\n").nth(1).unwrap();
        let default = parameter.lines().find_map(|line| line.trim().strip_prefix("Default: "));
        assert_eq!(default, Some(DEFAULT_STACK));
    }
}
