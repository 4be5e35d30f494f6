//! Lengths and parameters of the functions of production code.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::sources::{Source, is_test_only};

/// One function or method with a body.
pub(crate) struct Function {
    /// Its file, line and name.
    pub(crate) place: String,
    /// Lines from the signature to the closing brace.
    pub(crate) lines: usize,
    /// Number of parameters; each element of a tuple counts.
    pub(crate) parameters: usize,
    /// Number of tuple parameters.
    pub(crate) tuples: usize,
}

/// All functions of the production code in `sources`.
pub(crate) fn functions(sources: &[Source]) -> Vec<Function> {
    let mut functions = Vec::new();
    for source in sources.iter().filter(|source| source.is_production()) {
        let mut found = Functions {
            path: source.path.display().to_string(),
            found: &mut functions,
        };
        found.visit_file(&source.syntax());
    }
    functions
}

struct Functions<'a> {
    path: String,
    found: &'a mut Vec<Function>,
}

impl Functions<'_> {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let start = signature.span().start().line;
        let types = signature.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Receiver(_) => None,
            syn::FnArg::Typed(typed) => Some(&*typed.ty),
        });
        let sizes: Vec<Option<usize>> = types.map(tuple_size).collect();
        self.found.push(Function {
            place: format!(
                "{}:{start} {}",
                self.path,
                signature.ident.to_token_stream()
            ),
            lines: block.span().end().line + 1 - start,
            parameters: sizes.iter().map(|size| size.unwrap_or(1)).sum(),
            tuples: sizes.iter().flatten().count(),
        });
    }
}

/// The number of elements of a tuple, or of a reference to one, including nested tuples.
fn tuple_size(ty: &syn::Type) -> Option<usize> {
    match ty {
        syn::Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            let elements = tuple.elems.iter();
            Some(elements.map(|ty| tuple_size(ty).unwrap_or(1)).sum())
        }
        syn::Type::Reference(reference) => tuple_size(&reference.elem),
        syn::Type::Paren(inner) => tuple_size(&inner.elem),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test_only(&item.attrs) {
            self.add(&item.sig, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test_only(&item.attrs) {
            self.add(&item.sig, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_of_a_tuple_counts() {
        let source = Source {
            path: "x/src/lib.rs".into(),
            text:
                "impl A {\n  fn f(&self, (a, b): (u8, (u8, u8)), c: &(u8, u8), d: ()) {\n  }\n}\n"
                    .to_owned(),
        };
        let found = functions(&[source]);
        let [function] = found.as_slice() else {
            panic!("one function");
        };
        assert_eq!(function.parameters, 6);
        assert_eq!(function.tuples, 2);
        assert_eq!(function.lines, 2);
        assert_eq!(function.place, "x/src/lib.rs:2 f");
    }
}
