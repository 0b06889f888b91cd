//! The modules of a folder, each with all that lies below it.

use super::circles::Needs;
use std::collections::BTreeMap;

/// What the modules of each folder need of each other. The folder's own `mod.rs` is none of them: it may need all, and
/// what they need of it is looked at file by file.
pub fn of(needs: &Needs) -> Vec<Needs> {
    let mut folders: BTreeMap<&str, Needs> = BTreeMap::new();
    for (file, needed) in needs {
        for (other, names) in needed {
            let Some((folder, room, other_room)) = parting(file, other) else {
                continue;
            };
            let rooms = folders.entry(folder).or_default();
            rooms.entry(other_room.to_owned()).or_default();
            let between = rooms
                .entry(room.to_owned())
                .or_default()
                .entry(other_room.to_owned())
                .or_default();
            between.extend(names.iter().cloned());
        }
    }
    folders.into_values().collect()
}

/// The folder in which the ways to two files part, and the module of each there; none where one is the folder's own file.
fn parting<'a>(file: &'a str, other: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let folder = file
        .match_indices('/')
        .map(|(at, _)| file.split_at(at + 1).0)
        .take_while(|folder| other.starts_with(folder))
        .last()?;
    let room = |path: &'a str| {
        let name = path.get(folder.len()..)?.split('/').next()?;
        let own = ["lib.rs", "main.rs", "mod.rs"].contains(&name);
        (!own).then(|| path.split_at(folder.len() + name.trim_end_matches(".rs").len()).0)
    };
    let (room, other_room) = (room(file)?, room(other)?);
    (room != other_room).then_some((folder, room, other_room))
}
