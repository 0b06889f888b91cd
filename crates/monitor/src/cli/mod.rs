//! tmp
use std::process::ExitCode;

/// x
pub fn main() -> ExitCode {
    let path: std::path::PathBuf = std::env::args().nth(2).unwrap_or_default().into();
    let p = crate::read::profile(
        &crate::read::Source {
            path,
            format: crate::read::Format::Csv {
                header: true,
                delimiter: b',',
            },
        },
        &crate::read::Options::default(),
    );
    match p {
        Ok(p) => {
            for c in &p.statistics().features {
                println!(
                    "{} {:?} {} {} {}",
                    c.name,
                    c.inferred_type,
                    c.present,
                    c.missing,
                    match &c.detail {
                        crate::documents::statistics::Detail::Numeric(n) => format!(
                            "{} {} {} {} {:?}",
                            n.mean,
                            n.std_dev,
                            n.min,
                            n.max,
                            n.levels.iter().map(Vec::len).collect::<Vec<_>>()
                        ),
                        crate::documents::statistics::Detail::Text(t) => format!(
                            "{} {:?}",
                            t.distinct_count,
                            t.categories
                                .as_ref()
                                .map(|c| c.iter().take(3).cloned().collect::<Vec<_>>())
                        ),
                    }
                );
            }
            println!("{} {:?}", p.rows, p.notes);
        }
        Err(e) => println!("{e}"),
    }
    ExitCode::SUCCESS
}
