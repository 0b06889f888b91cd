//! The plans of runs, made of the document, the settings and champions alone.

mod jobs;
mod monitoring;
mod planner;
mod promotion;
mod scoring;
mod training;

pub use monitoring::monitoring;
pub use planner::Job;
use planner::{PROCESSING, Planner};
pub use promotion::{Baselined, promotion, trained};
pub use scoring::scoring;
pub use training::plan;
