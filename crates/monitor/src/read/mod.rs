//! Files to profiles: formats, compression, threads.
