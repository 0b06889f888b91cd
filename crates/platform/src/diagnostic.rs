//! Errors as Lambda answers with them.

/// Names a function's errors after their variants, but for `Platform`, whose errors have names of their own. What has names
/// can be listed: `TYPES` are the function's own.
#[macro_export]
macro_rules! error_types {
    ($error:ty { $($variant:ident),+ $(,)? }) => {
        impl $error {
            /// The `error_type`s of the function's own errors; those of `platform` come beside.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($variant)),+];

            /// The stable name, which state machines match.
            pub fn error_type(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => stringify!($variant),)+
                    Self::Platform(error) => error.error_type(),
                }
            }
        }

        $crate::diagnostic!($error);
    };
}

/// Makes of a function's error what Lambda answers with: its `error_type()`, which the state machines match, and its text.
#[macro_export]
macro_rules! diagnostic {
    ($error:ty) => {
        impl From<$error> for $crate::Diagnostic {
            fn from(error: $error) -> Self {
                Self {
                    error_type: error.error_type().to_owned(),
                    error_message: error.to_string(),
                }
            }
        }
    };
}
