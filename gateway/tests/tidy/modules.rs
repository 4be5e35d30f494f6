//! Dependencies among the top-level modules of a crate, and their cycles.
//!
//! Resolves `crate::`, `self::`, `super::` and re-exports at the root of the crate to top-level
//! modules; ignores code for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};

use crate::sources::{Source, is_test_only};

/// The other top-level modules that each top-level module uses.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports of the crate whose `src` is `folder`.
pub(crate) fn imports(folder: &Path, sources: &[Source]) -> Imports {
    let files = || {
        let own = sources.iter().filter(|source| source.is_production());
        own.filter_map(|source| Some((source, source.path.strip_prefix(folder).ok()?)))
    };
    let root = files().find(|(_, path)| *path == Path::new("lib.rs"));
    let exports = root.map_or_else(BTreeMap::new, |(source, _)| exports(&source.syntax()));
    let mut imports = Imports::new();
    for (source, path) in files() {
        let module = module_path(path);
        let Some(top) = module.first().cloned() else {
            continue;
        };
        let mut names = Names {
            module,
            exports: &exports,
            found: BTreeSet::new(),
        };
        names.visit_file(&source.syntax());
        imports.entry(top).or_default().extend(names.found);
    }
    let modules: BTreeSet<String> = imports.keys().cloned().collect();
    for (module, found) in &mut imports {
        found.retain(|other| other != module && modules.contains(other));
    }
    imports
}

/// Sets of modules that depend on each other.
pub(crate) fn cycles(imports: &Imports) -> BTreeSet<BTreeSet<String>> {
    let reach: BTreeMap<&String, BTreeSet<String>> = imports
        .keys()
        .map(|module| (module, reachable(imports, module)))
        .collect();
    let cycle = |module: &String| -> BTreeSet<String> {
        let others = reach[module].iter();
        let others = others.filter(|other| reach.get(other).is_some_and(|it| it.contains(module)));
        others.cloned().collect()
    };
    let cycles = imports.keys().map(cycle);
    cycles.filter(|cycle| cycle.len() > 1).collect()
}

fn reachable(imports: &Imports, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = imports[from].iter().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module.clone()) {
            open.extend(imports.get(module).into_iter().flatten());
        }
    }
    reached
}

/// `["a", "b"]` for `a/b.rs`; empty for the root of a crate.
fn module_path(path: &Path) -> Vec<String> {
    let names = path.components().map(|part| {
        let name = part.as_os_str().to_string_lossy();
        name.trim_end_matches(".rs").to_owned()
    });
    names
        .filter(|name| !["lib", "main"].contains(&name.as_str()))
        .collect()
}

/// The module behind each name that the root of a crate re-exports.
fn exports(file: &syn::File) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for item in &file.items {
        if let syn::Item::Use(item) = item {
            for path in use_paths(&item.tree, &[]) {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                if let ["self" | "crate", module, .., name] = path.as_slice() {
                    exports.insert((*name).to_owned(), (*module).to_owned());
                }
            }
        }
    }
    exports
}

/// All paths of a `use`; the last element is the bound name.
fn use_paths(tree: &syn::UseTree, before: &[String]) -> Vec<Vec<String>> {
    let with = |name: String| {
        let mut path = before.to_vec();
        path.push(name);
        path
    };
    match tree {
        syn::UseTree::Path(path) => use_paths(&path.tree, &with(path.ident.to_string())),
        syn::UseTree::Name(name) => vec![with(name.ident.to_string())],
        syn::UseTree::Rename(rename) => {
            let mut path = with(rename.ident.to_string());
            path.push(rename.rename.to_string());
            vec![path]
        }
        syn::UseTree::Glob(_) => vec![with("*".to_owned())],
        syn::UseTree::Group(group) => {
            let trees = group.items.iter();
            trees.flat_map(|tree| use_paths(tree, before)).collect()
        }
    }
}

/// Collects the top-level modules that a module uses.
struct Names<'a> {
    module: Vec<String>,
    exports: &'a BTreeMap<String, String>,
    found: BTreeSet<String>,
}

impl Names<'_> {
    fn add(&mut self, path: &[String]) {
        let mut base = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            _ => return,
        };
        let is_keyword = |name: &&String| ["crate", "self", "super"].contains(&name.as_str());
        let keywords = path.iter().take_while(is_keyword);
        for _ in keywords.clone().filter(|name| *name == "super") {
            base.pop();
        }
        let Some(name) = base.first().or_else(|| path.get(keywords.count())) else {
            return;
        };
        let module = self.exports.get(name).unwrap_or(name);
        self.found.insert(module.clone());
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_test_only(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test_only(&item.attrs) {
            for path in use_paths(&item.tree, &[]) {
                self.add(&path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter();
        let names: Vec<String> = names.map(|segment| segment.ident.to_string()).collect();
        self.add(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let text = item.tokens.to_string().replace(' ', "");
        for piece in text.split("crate::").skip(1) {
            let name: String = piece
                .chars()
                .take_while(|char| char.is_alphanumeric() || *char == '_')
                .collect();
            self.add(&["crate".to_owned(), name]);
        }
        visit::visit_macro(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Imports {
        let mut imports = Imports::new();
        for (from, to) in edges {
            let others = imports.entry((*from).to_owned()).or_default();
            others.insert((*to).to_owned());
            imports.entry((*to).to_owned()).or_default();
        }
        imports
    }

    #[test]
    fn modules_that_use_each_other_are_a_cycle() {
        assert_eq!(
            cycles(&graph(&[("a", "b"), ("b", "c"), ("c", "a")])).len(),
            1
        );
        assert_eq!(cycles(&graph(&[("a", "b"), ("b", "a")])).len(), 1);
        assert_eq!(cycles(&graph(&[("a", "b"), ("b", "c")])).len(), 0);
    }

    #[test]
    fn every_form_of_a_path_is_resolved() {
        let source = |path: &str, text: &str| Source {
            path: path.into(),
            text: text.to_owned(),
        };
        let sources = [
            source("x/src/lib.rs", "pub use self::engine::{Engine, run};"),
            source("x/src/engine.rs", "use super::plan::Plan;"),
            source("x/src/plan.rs", "use crate::{Engine, tree::{Row, Tree}};"),
            source(
                "x/src/tree.rs",
                "fn f() { println!(\"{}\", crate::cache::size()) }",
            ),
            source(
                "x/src/cache/redis.rs",
                "use super::super::batch; use super::memory;",
            ),
            source(
                "x/src/batch.rs",
                "fn f(_: super::tree::Row) {} #[cfg(test)] mod tests { use crate::cache; }",
            ),
        ];
        let found = imports(Path::new("x/src"), &sources);
        let expected = graph(&[
            ("engine", "plan"),
            ("plan", "engine"),
            ("plan", "tree"),
            ("tree", "cache"),
            ("cache", "batch"),
            ("batch", "tree"),
        ]);
        assert_eq!(found, expected);
    }
}
