//! CSV: never a panic; rows, present and missing values are the same as with a byte-by-byte reader; the number of
//! threads makes no difference, and blocks only where they must.
//!
//! Input: a byte of settings, then files, separated by 0x1c.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::profile::Profile;
use monitor::read::Format;
use monitor_fuzz::{How, check, parts, profile, same_but_for_blocks, write, written};

/// The rows, with the length of each raw field; `None` if a quote is not closed.
fn table(file: &[u8], delimiter: u8) -> Option<Vec<Vec<usize>>> {
    let mut text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).to_vec();
    if !text.is_empty() && text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let (mut row_start, mut start, mut quoted, mut closed) = (0, 0, false, None);
    for (at, &byte) in text.iter().enumerate() {
        if byte == b'"' {
            if quoted {
                (quoted, closed) = (false, Some(at));
            } else if at == start || closed == Some(at.wrapping_sub(1)) {
                quoted = true;
            }
        } else if quoted {
            continue;
        } else if byte == delimiter {
            row.push(at - start);
            start = at + 1;
        } else if byte == b'\n' {
            let blank = row.is_empty() && text[row_start..at].iter().all(|it| *it <= b' ');
            let returned = usize::from(at > start && text[at - 1] == b'\r');
            row.push(at - start - returned);
            if !blank {
                rows.push(std::mem::take(&mut row));
            }
            row.clear();
            (start, row_start) = (at + 1, at + 1);
        }
    }
    (!quoted).then_some(rows)
}

fn agrees(profile: &Profile, files: &[&[u8]], delimiter: u8, header: bool) {
    let mut rows = 0;
    let mut missing = vec![0; profile.columns.len()];
    for file in files.iter().filter(|it| !it.is_empty()) {
        let table = table(file, delimiter).expect("a quote is open, and it was read");
        for row in table.iter().skip(usize::from(header)) {
            rows += 1;
            for (at, missing) in missing.iter_mut().enumerate() {
                *missing += u64::from(row.get(at).is_none_or(|length| *length == 0));
            }
        }
    }
    assert_eq!(profile.rows, rows);
    let found: Vec<_> = profile.columns.iter().map(|it| it.missing).collect();
    assert_eq!(found, missing);
}

fuzz_target!(|data: &[u8]| {
    let [settings, data @ ..] = data else {
        return;
    };
    let header = settings & 1 == 0;
    let delimiter = b",;\t|, ,:"[usize::from(settings >> 1 & 7)];
    let block = [16, 48, 100, 400][usize::from(settings >> 4 & 3)];
    let files = parts(data);
    write(&files);
    let format = Format::Csv { header, delimiter };
    let how = How {
        threads: 1,
        ..How::default()
    };
    let whole = profile(&format, how);
    assert_eq!(
        whole.as_ref().map(written),
        profile(&format, How { threads: 3, ..how }).as_ref().map(written)
    );
    let blocks = How {
        block: Some(block),
        ..how
    };
    let cut = profile(&format, blocks);
    assert_eq!(
        cut.as_ref().map(written),
        profile(&format, How { threads: 3, ..blocks }).as_ref().map(written)
    );
    let compressed = files
        .iter()
        .any(|it| it.starts_with(b"\x1f\x8b") || it.starts_with(b"\x28\xb5\x2f\xfd"));
    let plain = !compressed;
    let Ok(whole) = whole else {
        return;
    };
    check(&whole);
    if plain {
        agrees(&whole, &files, delimiter, header);
    }
    if plain {
        same_but_for_blocks(&whole, &cut.expect("what can be read at once can be read in blocks"));
    }
    if settings & 0x40 != 0
        && let Some(column) = whole.columns.first()
    {
        let segment = Some(column.name.as_str());
        let one = profile(&format, How { segment, ..blocks }).ok();
        let several = How {
            threads: 3,
            segment,
            ..blocks
        };
        assert_eq!(
            one.as_ref().map(written),
            profile(&format, several).ok().as_ref().map(written)
        );
        one.iter().for_each(check);
    }
});
