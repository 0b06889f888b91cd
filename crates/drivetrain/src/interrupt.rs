//! The signals that ask a program to stop, such as Ctrl-C.

use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// A signal that asks to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// By Ctrl-C.
    ControlC,
    /// `kill`.
    Terminate,
    /// The terminal was closed.
    HangUp,
}

impl Interrupt {
    /// 128 plus the signal's number, as shells report it.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::ControlC => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        })
    }
}

/// Waits for the first such signal; never returns when the system can't report one.
pub async fn received() -> Interrupt {
    let of = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = of(SignalKind::interrupt()) => Interrupt::ControlC,
        () = of(SignalKind::terminate()) => Interrupt::Terminate,
        () = of(SignalKind::hangup()) => Interrupt::HangUp,
    }
}
