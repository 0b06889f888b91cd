use super::*;

/// The circles among files, each in one line: the way alone.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let sources = files
        .iter()
        .map(|(path, text)| (format!("src/{path}"), (*text).to_owned()));
    let found = check(&sources.collect()).unwrap();
    let lines = found.iter().map(|circle| circle.to_string().replace("src/", ""));
    lines
        .map(|text| text.lines().next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn two_files_that_need_each_other_are_a_circle() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use crate::a::A; pub struct B; impl B { fn of(a: &A) {} }"),
    ];
    assert_eq!(circles(&files), ["a.rs → b.rs → a.rs"]);
}

#[test]
fn a_circle_says_what_is_taken_and_how_many_files_hang_on_it() {
    let sources = [
        ("src/lib.rs", "mod a; mod b; mod c;"),
        (
            "src/a.rs",
            "pub struct A; pub fn two() { crate::b::B; crate::b::other() }",
        ),
        (
            "src/b.rs",
            "use crate::c::C; use crate::a::A; pub struct B; pub fn other() {}",
        ),
        ("src/c.rs", "use crate::a; pub struct C; fn f() { a::two() }"),
    ];
    let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let found = check(&sources.into()).unwrap();
    assert_eq!(
        found[0].to_string(),
        "src/a.rs → src/b.rs → src/a.rs (and 1 more files are entangled with them)\n  \
         src/a.rs takes B, other\n  src/b.rs takes A"
    );
    assert_eq!(found.len(), 1);
}

#[test]
fn a_way_through_three_files_is_found() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::c::c() }"),
        ("c.rs", "use super::a; pub fn c() { a::a() }"),
    ];
    assert_eq!(circles(&files), ["a.rs → b.rs → c.rs → a.rs"]);
}

#[test]
fn a_parent_may_use_its_children_and_they_what_it_re_exports() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::A; use b::B; pub fn f(b: B) {}"),
        ("a.rs", "pub struct A;"),
        // Through the root, which defines none of it.
        ("b.rs", "use crate::A; pub struct B(A);"),
    ];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn a_child_that_uses_what_its_parent_defines_is_one_where_the_parent_uses_it() {
    let child = "use super::Limit; pub fn f(limit: Limit) {}";
    let uses = "pub mod child; pub struct Limit; fn g() { child::f(Limit) }";
    let re_exports = "pub mod child; pub use child::f; pub struct Limit;";
    let at = |parent: &'static str| circles(&[("lib.rs", "mod p;"), ("p/mod.rs", parent), ("p/child.rs", child)]);
    assert_eq!(at(uses), ["p/child.rs → p/mod.rs → p/child.rs"]);
    assert_eq!(at(re_exports), [""; 0]);
}

#[test]
fn names_are_followed_through_globs_renames_and_re_exports() {
    let files = [
        ("lib.rs", "mod a; mod b; mod prelude;"),
        ("prelude.rs", "pub use crate::a::*; pub use crate::b as bees;"),
        ("a.rs", "use crate::prelude::bees::B as Bee; pub struct A(Bee);"),
        (
            "b.rs",
            "use crate::prelude::*; pub struct B; pub fn f() -> A { todo!() }",
        ),
    ];
    assert_eq!(circles(&files), ["a.rs → b.rs → a.rs"]);
}

#[test]
fn imports_that_lead_nowhere_or_to_themselves_are_other_crates() {
    let files = [
        (
            "lib.rs",
            "mod a; use anyhow::{self, anyhow}; fn f() { anyhow::anyhow!(\"x\") }",
        ),
        (
            "a.rs",
            "pub use super::*; pub use self::b::*; pub mod b { pub use super::*; } fn g() { nothing::h() }",
        ),
    ];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn macros_and_attributes_name_things_as_well() {
    let in_macro = ("a.rs", "pub fn a() { println!(\"{}\", crate::b::b(1)) }");
    let in_attribute = ("a.rs", "pub fn a() {} struct S { #[serde(with = \"crate::b\")] x: u8 }");
    for a in [in_macro, in_attribute] {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            a,
            ("b.rs", "pub fn b(x: u8) { crate::a::a() }"),
        ];
        assert_eq!(circles(&files), ["a.rs → b.rs → a.rs"], "{}", a.1);
    }
}

#[test]
fn methods_in_several_files_are_looked_for_where_they_are() {
    let of_type = "impl crate::context::Run { pub fn";
    let a = format!("{of_type} a(&self) {{ self.b() }} }}");
    let calls = format!("{of_type} b(&self) {{ assert!(self.a()) }} }}");
    let does_not = format!("{of_type} b(&self) {{ self.c() }} }}");
    for (b, expected) in [(calls, vec!["a.rs → b.rs → a.rs"]), (does_not, vec![])] {
        let files = [
            ("lib.rs", "mod a; mod b; mod context;"),
            ("context.rs", "pub struct Run; impl Run { pub fn c(&self) {} }"),
            ("a.rs", a.as_str()),
            ("b.rs", b.as_str()),
        ];
        assert_eq!(circles(&files), expected);
    }
}

#[test]
fn folders_that_need_each_other_are_a_circle() {
    let files = [
        ("lib.rs", "mod read; mod profile;"),
        ("read/mod.rs", "mod capture; pub mod text;"),
        ("read/capture.rs", "use crate::profile::Profile; fn f(p: Profile) {}"),
        ("read/text.rs", "pub fn unquoted() {}"),
        ("profile/mod.rs", "mod column; pub struct Profile;"),
        ("profile/column.rs", "fn g() { crate::read::text::unquoted() }"),
    ];
    assert_eq!(circles(&files), ["profile → read → profile"]);
}

#[test]
fn a_file_beside_its_folder_is_one_with_it() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a.rs", "mod b; use b::B; pub fn f(b: B) {}"),
        ("a/b.rs", "mod c; pub struct B(c::C);"),
        ("a/b/c.rs", "pub struct C;"),
    ];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn tests_do_not_count() {
    let files = [
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod support;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        (
            "b.rs",
            "pub fn b() {} #[cfg(test)] use crate::a; #[cfg(test)] mod tests { fn t() { crate::a::a() } }",
        ),
    ];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn programs_are_looked_at_for_themselves() {
    let files = [
        ("lib.rs", ""),
        ("main.rs", "mod cli; mod run; fn main() { cli::f() }"),
        ("cli.rs", "pub fn f() { crate::run::g() }"),
        ("run.rs", "pub fn g() { crate::cli::f() }"),
        ("bin/other.rs", "fn main() {}"),
    ];
    assert_eq!(circles(&files), ["cli.rs → run.rs → cli.rs"]);
}

#[test]
fn what_can_not_be_read_is_told_with_its_file() {
    let sources = |text: &str| Sources::from([("src/lib.rs".to_owned(), text.to_owned())]);
    let told = |text: &str| format!("{:#}", check(&sources(text)).unwrap_err());
    assert!(told("fn (").contains("src/lib.rs is not Rust"));
    assert!(told("mod gone;").contains("there is no src/gone.rs or src/gone/mod.rs"));
}
