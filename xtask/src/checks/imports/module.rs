//! The modules of a target: what each defines, imports and names.

use anyhow::{Context, Result, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ImplItem, Item, Meta, Type, UseTree, Visibility};

/// The sources of a crate: paths below its folder (`src/lib.rs`), and texts.
pub type Sources = BTreeMap<String, String>;

/// Segments: `["crate", "plan", "Plan"]`.
pub type Path = Vec<String>;

/// A module, by its place in the list of all.
pub type Id = usize;

/// A module: a file of its own, or a part of one.
#[derive(Debug, Default)]
pub struct Module {
    /// The file that it is written in.
    pub file: String,
    /// The module that declares it; the root has none.
    pub parent: Option<Id>,
    /// Modules that it declares.
    pub children: BTreeMap<String, Id>,
    /// Items that it defines, modules aside.
    pub items: BTreeSet<String>,
    /// Names that it imports or re-exports, and what they stand for.
    pub imports: BTreeMap<String, Path>,
    /// Modules of which it imports everything.
    pub globs: Vec<Path>,
    /// Functions in `impl` blocks without a trait: the type, as it is named here, and the function.
    pub functions: Vec<(Path, String)>,
    /// What its code names.
    pub mentions: Vec<Mention>,
}

/// Something that code names.
#[derive(Debug)]
pub enum Mention {
    /// A path.
    Path(Path),
    /// A path in an attribute's text, which may be a module's.
    Text(Path),
    /// `self.f()` in an `impl` block: the type, and the function.
    Method(Path, String),
}

/// The modules of a target. The root is the first.
pub fn tree(sources: &Sources, root: &str) -> Result<Vec<Module>> {
    let mut modules = Vec::new();
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let text = sources.get(root).with_context(|| format!("{root} is missing"))?;
    let items = parse(root, text)?;
    add(sources, &mut modules, None, root, &folder, items)?;
    Ok(modules)
}

fn parse(file: &str, text: &str) -> Result<Vec<Item>> {
    let parsed = syn::parse_file(text).with_context(|| format!("{file} is not Rust"))?;
    Ok(parsed.items)
}

/// Adds a module and those below it, whose files lie in `folder`.
fn add(
    sources: &Sources,
    modules: &mut Vec<Module>,
    parent: Option<Id>,
    file: &str,
    folder: &str,
    items: Vec<Item>,
) -> Result<Id> {
    let id = modules.len();
    modules.push(Module {
        file: file.to_owned(),
        parent,
        ..Module::default()
    });
    for item in items {
        if is_test(attributes(&item)) {
            continue;
        }
        let Item::Mod(declared) = item else {
            Reader::new(&mut modules[id]).item(&item);
            continue;
        };
        let name = declared.ident.to_string();
        let below = format!("{folder}/{name}");
        let child = if let Some((_, items)) = declared.content {
            add(sources, modules, Some(id), file, &below, items)?
        } else {
            let places = [format!("{below}.rs"), format!("{below}/mod.rs")];
            let Some((place, text)) = places.iter().find_map(|place| sources.get_key_value(place)) else {
                bail!("{file} declares `mod {name}`, and there is no {}", places.join(" or "));
            };
            add(sources, modules, Some(id), place, &below, parse(place, text)?)?
        };
        modules[id].children.insert(name, child);
    }
    Ok(id)
}

/// Reads items into a module.
struct Reader<'a> {
    module: &'a mut Module,
    /// The type of the `impl` block that is being read.
    of: Option<Path>,
}

impl<'a> Reader<'a> {
    fn new(module: &'a mut Module) -> Self {
        Self { module, of: None }
    }

    fn item(&mut self, item: &Item) {
        let name = match item {
            Item::Const(it) => Some(&it.ident),
            Item::Enum(it) => Some(&it.ident),
            Item::Fn(it) => Some(&it.sig.ident),
            Item::Macro(it) => it.ident.as_ref(),
            Item::Static(it) => Some(&it.ident),
            Item::Struct(it) => Some(&it.ident),
            Item::Trait(it) => Some(&it.ident),
            Item::Type(it) => Some(&it.ident),
            Item::Union(it) => Some(&it.ident),
            _ => None,
        };
        self.module.items.extend(name.map(ToString::to_string));
        self.visit_item(item);
    }

    fn import(&mut self, private: bool, before: &Path, tree: &UseTree) {
        let with = |name: &dyn ToString| {
            let mut path = before.clone();
            path.push(name.to_string());
            path
        };
        match tree {
            UseTree::Path(tree) => self.import(private, &with(&tree.ident), &tree.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(private, before, tree)),
            UseTree::Glob(_) => self.module.globs.push(before.clone()),
            UseTree::Name(name) if name.ident == "self" => self.name(private, before.last().cloned(), before.clone()),
            UseTree::Name(name) => self.name(private, Some(name.ident.to_string()), with(&name.ident)),
            UseTree::Rename(name) => {
                let path = if name.ident == "self" {
                    before.clone()
                } else {
                    with(&name.ident)
                };
                self.name(private, Some(name.rename.to_string()), path);
            }
        }
    }

    fn name(&mut self, private: bool, name: Option<String>, path: Path) {
        if private {
            self.mention(path.clone());
        }
        self.module.imports.extend(name.map(|name| (name, path)));
    }

    fn mention(&mut self, path: Path) {
        self.module.mentions.push(Mention::Path(path));
    }

    fn method(&mut self, name: String) {
        let of = self.of.clone();
        self.module.mentions.extend(of.map(|of| Mention::Method(of, name)));
    }

    /// Paths in the arguments of a macro, whose form only the macro knows.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == sign);
        let name = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(it)) => Some(it.to_string()),
            _ => None,
        };
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) if at == 0 || !is(at - 1, '.') => {
                    let mut path = vec![first.to_string()];
                    while is(at + 1, ':') && is(at + 2, ':') {
                        let Some(next) = name(at + 3) else { break };
                        path.push(next);
                        at += 3;
                    }
                    match name(at + 2) {
                        Some(function) if path == ["self"] && is(at + 1, '.') && calls(tokens.get(at + 3)) => {
                            self.method(function);
                        }
                        _ => self.path(path),
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// A path of the code, in which `Self` is the type of the block.
    fn path(&mut self, mut path: Path) {
        if path.first().is_some_and(|first| first == "Self") {
            let Some(of) = &self.of else { return };
            path.splice(..1, of.iter().cloned());
        }
        self.mention(path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let private = matches!(item.vis, Visibility::Inherited);
        self.import(private, &Path::new(), &item.tree);
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        let of = match &*block.self_ty {
            Type::Path(of) => Some(segments(&of.path)),
            _ => None,
        };
        if let (None, Some(of)) = (&block.trait_, &of) {
            for item in &block.items {
                let name = match item {
                    ImplItem::Fn(it) if !is_test(&it.attrs) => &it.sig.ident,
                    ImplItem::Const(it) => &it.ident,
                    _ => continue,
                };
                self.module.functions.push((of.clone(), name.to_string()));
            }
        }
        let outside = std::mem::replace(&mut self.of, of);
        visit::visit_item_impl(self, block);
        self.of = outside;
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(segments(path));
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if matches!(&*call.receiver, Expr::Path(receiver) if receiver.path.is_ident("self")) {
            self.method(call.method.to_string());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.path(segments(&call.path));
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let Meta::List(list) = &attribute.meta else { return };
        self.path(segments(&list.path));
        self.tokens(list.tokens.clone());
        for token in list.tokens.clone() {
            let TokenTree::Literal(literal) = token else { continue };
            let path = syn::parse_str(&literal.to_string())
                .ok()
                .and_then(|text: syn::LitStr| text.parse::<syn::Path>().ok());
            let path = path.map(|path| Mention::Text(segments(&path)));
            self.module.mentions.extend(path);
        }
    }
}

/// Whether a token is the arguments of a call.
fn calls(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

fn segments(path: &syn::Path) -> Path {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Whether an item is there for unit tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|condition| match condition {
                Meta::Path(path) => path.is_ident("test"),
                Meta::List(list) if list.path.is_ident("all") => {
                    let mut words = list.tokens.into_iter();
                    words.any(|word| matches!(word, TokenTree::Ident(word) if word == "test"))
                }
                _ => false,
            })
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::ExternCrate(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}
