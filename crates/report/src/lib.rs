//! HTML that needs nothing but a browser: one file, no server, no network.
