//! From names to the files that define them.

use super::circles::Needs;
use super::module::{Id, Mention, Module};
use std::collections::{BTreeMap, BTreeSet};

/// What a path leads to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// A module itself.
    Module(Id),
    /// An item of a module, and the segment after it: of `Plan::new`, `new`.
    Item(Id, String, Option<String>),
}

/// Which files of a target need which.
pub fn needs(modules: &[Module]) -> Needs {
    let names = Names {
        functions: functions(modules),
        modules,
    };
    let mut needs = Needs::new();
    for (id, module) in modules.iter().enumerate() {
        let of_file = needs.entry(module.file.clone()).or_default();
        let named = module.mentions.iter().flat_map(|mention| names.files(id, mention));
        for (file, name) in named.filter(|(file, _)| *file != module.file) {
            of_file.entry(file.to_owned()).or_default().insert(name);
        }
    }
    needs
}

/// The files of the functions in types' `impl` blocks: by the module and name of the type, and the function's name.
type Functions<'a> = BTreeMap<(Id, String), BTreeMap<&'a str, &'a str>>;

fn functions(modules: &[Module]) -> Functions<'_> {
    let names = Names {
        functions: Functions::new(),
        modules,
    };
    let mut found = Functions::new();
    for (id, module) in modules.iter().enumerate() {
        for (of, function) in &module.functions {
            if let Some(Target::Item(defined, name, _)) = names.resolve(id, of, &mut BTreeSet::new()) {
                found.entry((defined, name)).or_default().insert(function, &module.file);
            }
        }
    }
    found
}

struct Names<'a> {
    modules: &'a [Module],
    functions: Functions<'a>,
}

impl<'a> Names<'a> {
    /// The files that define what is named in a module, each with what is named of it.
    fn files(&self, id: Id, mention: &Mention) -> Vec<(&'a str, String)> {
        let (path, method) = match mention {
            Mention::Path(path) | Mention::Text(path) => (path, None),
            Mention::Method(of, name) => (of, Some(name)),
        };
        match self.resolve(id, path, &mut BTreeSet::new()) {
            Some(Target::Item(defined, name, rest)) => {
                let item = (self.modules[defined].file.as_str(), name.clone());
                let block = method.or(rest.as_ref()).and_then(|function| {
                    let file = self.functions.get(&(defined, name.clone()))?.get(function.as_str())?;
                    Some((*file, format!("{name}::{function}")))
                });
                std::iter::once(item).chain(block).collect()
            }
            Some(Target::Module(named)) if matches!(mention, Mention::Text(_)) => {
                vec![(self.modules[named].file.as_str(), path.join("::"))]
            }
            _ => Vec::new(),
        }
    }

    /// What a path in a module leads to; none for other crates. `asked` keeps imports that lead to themselves from being
    /// followed for ever.
    fn resolve(&self, id: Id, path: &[String], asked: &mut BTreeSet<(Id, String)>) -> Option<Target> {
        let Some((first, rest)) = path.split_first() else {
            return Some(Target::Module(id));
        };
        let module = &self.modules[id];
        match first.as_str() {
            "crate" => return self.resolve(0, rest, asked),
            "self" => return self.resolve(id, rest, asked),
            "super" => return self.resolve(module.parent?, rest, asked),
            _ => {}
        }
        let child = module.children.get(first);
        if let (Some(child), false) = (child, rest.is_empty()) {
            return self.resolve(*child, rest, asked);
        }
        if module.items.contains(first) {
            return Some(Target::Item(id, first.clone(), rest.first().cloned()));
        }
        if let Some(child) = child {
            return Some(Target::Module(*child));
        }
        if !asked.insert((id, first.clone())) {
            return None;
        }
        if let Some(import) = module.imports.get(first) {
            return self.resolve(id, &[import, rest].concat(), asked);
        }
        module
            .globs
            .iter()
            .find_map(|glob| match self.resolve(id, glob, asked)? {
                Target::Module(named) if named != id => self.resolve(named, path, asked),
                _ => None,
            })
    }
}
