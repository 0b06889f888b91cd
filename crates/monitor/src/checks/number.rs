//! Doubles as Java's `Double.toString` writes them, for the texts of violations.

/// `99.65534219596258`, `1.0E7`, `5.092682820403929E-4`, `NaN`.
pub fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        };
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    // The form of `{:e}` always has an `e`.
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::java_double;

    #[test]
    fn the_form_is_that_of_java() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (0.929_320_012_931_699_3, "0.9293200129316993"),
            (5.092_682_820_403_929e-4, "5.092682820403929E-4"),
            (1e7, "1.0E7"),
            (18_463_239.666_666_668, "1.8463239666666668E7"),
            (9_999_999.0, "9999999.0"),
            (0.001, "0.001"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
        ];
        for (value, text) in cases {
            assert_eq!(java_double(value), text);
        }
    }
}
