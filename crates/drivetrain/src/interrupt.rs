//! The signals that ask a program to stop, such as Ctrl-C.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
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

/// What goes on when the command is stopped, and how to see it.
static GOES_ON: Mutex<Option<String>> = Mutex::new(None);

/// Sets what goes on if the command is stopped from now on.
pub fn goes_on(text: Option<String>) {
    *GOES_ON.lock().unwrap_or_else(PoisonError::into_inner) = text;
}

/// What goes on when the command is stopped now.
pub fn what_goes_on() -> Option<String> {
    GOES_ON.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
