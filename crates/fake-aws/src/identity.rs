//! Whose account it is, and where.

/// The region of every client; ARNs carry it.
pub const REGION: &str = "us-east-1";
/// The account of every ARN.
pub const ACCOUNT_ID: &str = "123456789012";
