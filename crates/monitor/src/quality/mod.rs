//! Model quality: metrics of predictions against ground truth, their constraints and violations.
