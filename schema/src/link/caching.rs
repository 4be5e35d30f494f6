//! The cache directives of subgraphs, checked → `CacheDirectives`.
//!
//! Knows neither how subgraphs are composed nor how a supergraph is read: both collect
//! `SubgraphCacheDirectives`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{self, Value};
use apollo_compiler::parser::SourceSpan;

use crate::caching::{CacheDirectives, FieldCacheDirectives, TypeCacheDirectives};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::key::FieldSet;
use crate::sdl::federation::Directive;
use crate::sdl::literal::Literal;
use crate::sdl::range;
use crate::source::Source;
use crate::span::{Document, Span};
use crate::types::{Field, Name, TypeId, Types};

mod hints;
mod invalidation;
mod tag_formats;
mod tags;

/// The cache directives of one subgraph.
pub(super) struct SubgraphCacheDirectives {
    pub(super) subgraph: Name,
    /// The document that contains them.
    pub(super) document: Document,
    /// The resolvable keys that the subgraph declares, by type.
    pub(super) keys: HashMap<Name, Vec<FieldSet>>,
    /// In document order.
    pub(super) directives: Vec<CacheDirective>,
}

/// One cache directive of a type or field.
pub(super) struct CacheDirective {
    pub(super) directive: Directive,
    /// The type that has the directive, or the field with it.
    pub(super) owner: Name,
    /// The field that has the directive; `None` where it is on the type.
    pub(super) field: Option<Name>,
    pub(super) node: Node<ast::Directive>,
    pub(super) location: Option<SourceSpan>,
}

/// Checks the directives of each subgraph; the result, by subgraph name, leaves out subgraphs
/// without any.
pub(super) fn read(
    directives: &[SubgraphCacheDirectives],
    types: &Types,
    sources: &[Source],
    problems: &mut Problems,
) -> BTreeMap<Name, CacheDirectives> {
    let mut by_subgraph = BTreeMap::new();
    let mut reported = HashSet::new();
    for declared in directives.iter().filter(|it| !it.directives.is_empty()) {
        let mut reader = Reader {
            declared,
            types,
            sources,
            problems: Problems::default(),
            cache_directives: CacheDirectives::default(),
        };
        for directive in &declared.directives {
            reader.read_directive(directive);
        }
        by_subgraph.insert(Name::clone(&declared.subgraph), reader.cache_directives);
        // One directive of a supergraph may belong to several subgraphs: report it once.
        for problem in reader.problems.into_vec() {
            let position = problem.labels.first().map(|it| it.span.range.start);
            let document = Arc::clone(&declared.document.name);
            if reported.insert((document, position, problem.message.clone())) {
                problems.push(problem);
            }
        }
    }
    by_subgraph
}

struct Reader<'a> {
    declared: &'a SubgraphCacheDirectives,
    types: &'a Types,
    sources: &'a [Source],
    problems: Problems,
    cache_directives: CacheDirectives,
}

/// A directive with the type and field of the graph that it is on.
#[derive(Clone, Copy)]
struct ResolvedDirective<'a> {
    directive: &'a CacheDirective,
    owner: TypeId,
    field: Option<&'a Field>,
}

impl<'a> Reader<'a> {
    fn read_directive(&mut self, directive: &'a CacheDirective) {
        let Some(resolved) = self.resolve(directive) else {
            return; // The merged graph does not have the type or field.
        };
        match directive.directive {
            Directive::CacheControl => hints::read_cache_control(self, resolved),
            Directive::EntityCache | Directive::QueryCache => {
                hints::read_openfed_max_age(self, resolved);
            }
            Directive::CacheTag => tags::read(self, resolved),
            Directive::CacheInvalidate => invalidation::invalidate_named(self, resolved),
            Directive::InvalidateReturned => invalidation::invalidate_returned(self, resolved),
            Directive::CachePopulate => {
                self.report_unused(resolved, "the response of a mutation is not cached");
            }
            _ => {}
        }
    }

    fn resolve(&self, directive: &'a CacheDirective) -> Option<ResolvedDirective<'a>> {
        let owner = self.types.find(&directive.owner)?;
        let field = match &directive.field {
            Some(name) => Some(self.types.get(owner).field(name)?),
            None => None,
        };
        Some(ResolvedDirective {
            directive,
            owner,
            field,
        })
    }

    fn span(&self, location: Option<SourceSpan>) -> Span {
        Span::new(&self.declared.document, range(location))
    }

    /// The string literal `value`; reports any other value, naming it `what`.
    fn text(&mut self, value: &Node<Value>, code: Code, what: &str) -> Option<Literal> {
        let Some(text) = value.as_str() else {
            let message = format!("{what} must be a string");
            let problem = Diagnostic::error(code, self.span(value.location()), message);
            self.problems.push(problem);
            return None;
        };
        let document = &self.declared.document;
        Some(Literal::new(&document.text, range(value.location()), text))
    }

    fn report(&mut self, resolved: ResolvedDirective<'_>, code: Code, message: String, help: &str) {
        let problem = Diagnostic::error(code, self.span(resolved.directive.location), message);
        self.problems.push(problem.help(Some(help.to_owned())));
    }

    /// Warns of a directive that is recognized and has no effect.
    fn report_unused(&mut self, resolved: ResolvedDirective<'_>, why: &str) {
        let message = format!(
            "`@{}` is not used: {why}",
            resolved.directive.directive.name()
        );
        let span = self.span(resolved.directive.location);
        let problem = Diagnostic::warning(Code::CacheDirectiveNotUsed, span, message);
        self.problems.push(problem);
    }

    fn type_directives(&mut self, ty: TypeId) -> &mut TypeCacheDirectives {
        self.cache_directives.types.entry(ty).or_default()
    }

    fn field_directives(&mut self, owner: TypeId, field: &Field) -> &mut FieldCacheDirectives {
        let coordinate = (owner, Name::clone(&field.name));
        self.cache_directives.fields.entry(coordinate).or_default()
    }

    /// `Query.products` for a field, `Product` for a type.
    fn coordinate(&self, resolved: ResolvedDirective<'_>) -> String {
        let owner = &self.types.get(resolved.owner).name;
        resolved.field.map_or_else(
            || owner.to_string(),
            |field| format!("{owner}.{}", field.name),
        )
    }

    /// The keys by which the subgraph can be asked for entities of a type: those it declares, or
    /// those that its connectors require.
    fn keys(&self, ty: TypeId) -> Vec<FieldSet> {
        let name = &self.types.get(ty).name;
        if let Some(keys) = self.declared.keys.get(name) {
            return keys.clone();
        }
        let sources = self.sources.iter();
        let own = sources.filter(|it| it.subgraph == self.declared.subgraph);
        let entries = own.flat_map(|it| &it.entry_points);
        entries
            .filter(|entry| entry.on == ty && entry.is_entity_lookup())
            .map(|entry| entry.key.clone())
            .collect()
    }

    /// Whether some subgraph has a lookup for the type, or for an object of an abstract type.
    fn is_entity(&self, ty: TypeId) -> bool {
        let mut entries = self.sources.iter().flat_map(|it| &it.entry_points);
        entries.any(|entry| {
            entry.is_entity_lookup() && (entry.on == ty || self.types.is_a(entry.on, ty))
        })
    }
}

/// The value of an argument that is present and not null.
fn argument<'a>(resolved: ResolvedDirective<'a>, name: &str) -> Option<&'a Node<Value>> {
    let value = resolved.directive.node.specified_argument_by_name(name)?;
    (!value.is_null()).then_some(value)
}
