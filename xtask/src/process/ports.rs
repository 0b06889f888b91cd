//! Ports of 127.0.0.1.

use anyhow::{Result, bail};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A port that is requested or preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The port requested by the user: it is an error if it is taken.
    Exactly(u16),
    /// The usual port: if it is taken, the next free one.
    From(u16),
    /// Any free port.
    Any,
}

/// Chooses a free port that is not among `others`.
///
/// # Errors
/// The requested port is taken; the text says by whom, if the system tells.
pub fn choose(wish: Wish, others: &[u16], purpose: &str) -> Result<u16> {
    choose_by(wish, others, purpose, is_free)
}

fn choose_by(wish: Wish, others: &[u16], purpose: &str, is_free: impl Fn(u16) -> bool) -> Result<u16> {
    match wish {
        Wish::Exactly(port) if others.contains(&port) => {
            bail!("port {port} is requested twice: {purpose} needs one of its own")
        }
        Wish::Exactly(port) if is_free(port) => Ok(port),
        Wish::Exactly(port) => {
            let who = listener(port).map(|who| format!(" by {who}")).unwrap_or_default();
            bail!("port {port} for {purpose} is taken{who}: name another, or none to get the next free one")
        }
        Wish::From(first) => match (first..=u16::MAX).find(|port| !others.contains(port) && is_free(*port)) {
            Some(port) => Ok(port),
            None => bail!("no port from {first} on is free for {purpose}"),
        },
        Wish::Any => Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port()),
    }
}

/// Whether nothing listens on a port.
fn is_free(port: u16) -> bool {
    // Some systems allow binding beside a listener on all addresses: if anything answers, the port is taken.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// The process that listens on a port, `python (pid 123)`; `None` if it can't be found.
pub fn listener(port: u16) -> Option<String> {
    let answer = std::process::Command::new("lsof")
        .args(["-nP", "-Fpc", "-sTCP:LISTEN"])
        .arg(format!("-iTCP:{port}"))
        .output();
    let by_lsof = answer.ok().and_then(|answer| {
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let field = |name: char| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        Some(format!("{} (pid {})", field('c')?, field('p')?))
    });
    by_lsof.or_else(|| in_proc(port))
}

/// Uses Linux's tables: finds the socket's inode, then the process that has it open.
fn in_proc(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let holds = |pid: &str| {
        std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|files| {
            files
                .flatten()
                .filter_map(|file| std::fs::read_link(file.path()).ok())
                .any(|target| inodes.iter().any(|inode| target.as_os_str() == inode.as_str()))
        })
    };
    let pid = std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .find(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && holds(name))?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("{} (pid {pid})", name.trim()))
}

fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let wanted = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        // Local address, remote address, state (0A: listening), …, inode.
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&wanted) && fields[3] == "0A")
        .map(|fields| fields[9].to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_free_port_is_taken_unless_one_was_asked_for() {
        let free = |port: u16| port != 4566;
        assert_eq!(choose_by(Wish::From(4566), &[4567], "it", free).unwrap(), 4568);
        assert_eq!(choose_by(Wish::Exactly(4570), &[], "it", free).unwrap(), 4570);
        let error = choose_by(Wish::Exactly(4566), &[], "LocalStack", free).unwrap_err();
        assert!(
            error.to_string().starts_with("port 4566 for LocalStack is taken"),
            "{error}"
        );
        assert!(choose_by(Wish::Exactly(4570), &[4570], "it", free).is_err());
    }

    #[test]
    fn a_listener_is_seen_and_named() {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(!is_free(port));
        if cfg!(target_os = "linux") {
            assert!(
                in_proc(port)
                    .unwrap()
                    .ends_with(&format!("(pid {})", std::process::id()))
            );
        }
    }

    #[test]
    fn only_listening_sockets_count() {
        let table = "  sl  local_address rem_address   st\n   \
            0: 0100007F:11D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n   \
            1: 0100007F:11D6 0100007F:9000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n";
        assert_eq!(listening_inodes(table, 4566), ["4711"]);
    }
}
