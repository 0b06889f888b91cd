//! A saved state: any bytes, and any JSON that is correctly compressed; a state that loads can be used, merged, and
//! saved again.
//!
//! Input: `z` and a whole file, or any other byte and the JSON of the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::profile::Profile;
use monitor_fuzz::written;

fuzz_target!(|data: &[u8]| {
    let loaded = match data {
        [b'z', file @ ..] => Profile::load(file),
        [_, json @ ..] => Profile::load(&*zstd::encode_all(json, 1).unwrap()),
        [] => return,
    };
    let mut profile = match loaded {
        Ok(profile) => profile,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut saved = Vec::new();
    profile.save(&mut saved).unwrap();
    assert_eq!(written(&Profile::load(&*saved).unwrap()), written(&profile));
    let statistics = profile.statistics().to_text();
    assert!(!statistics.is_empty());
    profile.facts();
    let before = profile.clone();
    profile.merge(&before);
    profile.merge(&before.fresh());
    let mut fresh = before.fresh();
    fresh.merge(&before);
    assert_eq!(fresh.rows, before.rows);
    profile.statistics();
});
