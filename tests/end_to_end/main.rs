//! Tests of the whole of Drivetrain on the local stack: what design and documents promise, proved from outside.
//!
//! Every test has a use case of its own, so that all can run at the same time on one stack. `stack` talks to the stack,
//! `case` makes use cases and runs, `data` their files, `traffic` requests and ground truth, `watch` monitoring runs;
//! each of the other modules has the tests of one topic. What a single function or container does is tested beside its
//! code.
//!
//! `cargo xtask test end-to-end` runs them on a stack of its own. By hand:
//!
//! ```sh
//! cargo xtask test glue        # once: it sets Spark up
//! cargo xtask up --images tests/end_to_end/own_image/images.yaml --parameter GlueThresholdBytes=4000000
//! eval "$(cargo xtask env)"
//! cargo test --workspace --test end-to-end -- --ignored --test-threads 2
//! ```

// A test that can't continue has to stop and show why.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod case;
mod data;
mod stack;
mod traffic;
mod wait;
mod watch;

mod at_scale;
mod carried_over;
mod crashes;
mod delivery;
mod drops;
mod failures;
mod files;
mod happy_path;
mod init;
mod monitoring;
mod narrow;
mod overlap;
mod own_image;
mod predictions;
mod promotion;
mod replacement;
mod retraining;
mod scoring;
mod wide;
