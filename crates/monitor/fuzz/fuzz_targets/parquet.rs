//! Parquet: a file is read or refused, the number of threads makes no difference, and the counts add up.
//!
//! The library panics for some damaged files, which the reader converts to errors: such panics are not findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::read::Format;
use monitor_fuzz::{How, check, profile, write, written};
use std::backtrace::Backtrace;

/// Ends the process at a panic, as libFuzzer's harness does, unless it is a panic of the library.
fn tell_our_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map_or("", |it| it.file());
        let of_library = ["/parquet-", "/arrow-"].iter().any(|it| file.contains(it));
        // Code that the library calls may be the one that panics.
        let of_others = ["/registry/", "/rustc/"].iter().any(|it| file.contains(it));
        if !of_library && !(of_others && within_library()) {
            tell(panic);
        }
    }));
}

/// Whether the panic occurred below the reader's `caught`, which calls nothing but the library. Finding that out is
/// slow.
#[cold]
fn within_library() -> bool {
    let calls = Backtrace::force_capture().to_string();
    ["caught<", "parquet::caught"].iter().any(|it| calls.contains(it))
}

fuzz_target!(init: tell_our_panics(), |data: &[u8]| {
    write(&[data]);
    let one = How {
        threads: 1,
        ..How::default()
    };
    let whole = profile(&Format::Parquet, one);
    let several = profile(&Format::Parquet, How { threads: 3, ..one });
    assert_eq!(whole.as_ref().map(written), several.as_ref().map(written));
    let Ok(whole) = whole else {
        return;
    };
    check(&whole);
    for column in whole.columns.iter().take(2) {
        let segment = Some(column.name.as_str());
        let one = profile(&Format::Parquet, How { segment, ..one });
        let three = How {
            threads: 3,
            segment,
            ..How::default()
        };
        let several = profile(&Format::Parquet, three);
        assert_eq!(one.as_ref().map(written), several.as_ref().map(written));
        one.iter().for_each(check);
    }
});
