//! Captured data: never a panic; the number of threads makes no difference, and blocks only where they must; the counts
//! of a table must add up.
//!
//! Input: a byte of settings, then files, separated by 0x1c.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::read::{Format, OutputPosition};
use monitor_fuzz::{How, check, parts, profile, write, written};

fuzz_target!(|data: &[u8]| {
    let [settings, data @ ..] = data else {
        return;
    };
    let all = [
        "endpointInput",
        "endpointOutput",
        "batchTransformInput",
        "batchTransformOutput",
    ];
    let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let format = Format::Capture {
        index_names: match settings & 3 {
            0 => all.map(str::to_owned).to_vec(),
            it => all[..usize::from(it)].iter().map(|it| (*it).to_owned()).collect(),
        },
        output_position: if settings & 4 == 0 {
            OutputPosition::Start
        } else {
            OutputPosition::End
        },
        names: (settings & 8 != 0).then_some(names),
    };
    let files = parts(data);
    if files
        .iter()
        .any(|it| it.starts_with(b"\x1f\x8b") || it.starts_with(b"\x28\xb5\x2f\xfd"))
    {
        return;
    }
    write(&files);
    let one = How {
        threads: 1,
        ..How::default()
    };
    let blocks = How {
        block: Some(200),
        ..one
    };
    let three = How { threads: 3, ..blocks };
    let whole = profile(&format, one);
    let cut = profile(&format, blocks);
    assert_eq!(cut.as_ref().map(written), profile(&format, three).as_ref().map(written));
    // The first block decides the layout, so only the numbers of rows read and left out can be compared.
    if let (Ok(whole), Ok(cut)) = (&whole, &cut) {
        check(whole);
        check(cut);
        assert_eq!(
            (whole.rows, whole.notes.skipped_rows()),
            (cut.rows, cut.notes.skipped_rows())
        );
    }
    if settings & 0x40 != 0
        && let Ok(whole) = &whole
        && let Some(column) = whole.columns.first()
    {
        let segment = Some(column.name.as_str());
        let one = profile(&format, How { segment, ..blocks }).ok();
        let several = profile(&format, How { segment, ..three }).ok();
        assert_eq!(one.as_ref().map(written), several.as_ref().map(written));
        one.iter().for_each(check);
    }
});
