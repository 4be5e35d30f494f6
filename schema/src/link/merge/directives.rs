//! Directives of the merged schema: those for clients, those of federation that gateways read, and
//! those that a subgraph composes (`@composeDirective`). Imported names become the names of the
//! specifications.

use std::collections::HashSet;
use std::fmt::Write as _;

use apollo_compiler::ast::{self, Argument, Value};
use apollo_compiler::schema::{Component, DirectiveList, ExtendedType, Schema};
use apollo_compiler::{Name, Node};

use super::{Declaration, Merge};
use crate::link::compose::part::{SubgraphPart, fields};
use crate::sdl::federation::{DEFINITIONS, Directive};

/// Directives that are part of the API schema.
pub(in crate::link) const CLIENT_DIRECTIVES: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

/// The merged directives of a type.
pub(super) fn merged_type_directives(all: &[Declaration<'_, ExtendedType>]) -> DirectiveList {
    let directives = all.iter().flat_map(|declaration| {
        let list = declaration.definition.directives().iter();
        list.map(move |it| (declaration.part, &it.node))
    });
    let mut list = DirectiveList::new();
    for directive in merged(directives) {
        list.0.push(Component::from(directive));
    }
    list
}

/// The merged directives of a field, argument or value.
pub(super) fn merged_node_directives<'a>(
    all: impl Iterator<Item = (&'a SubgraphPart<'a>, &'a ast::DirectiveList)>,
) -> ast::DirectiveList {
    let directives = all.flat_map(|(part, list)| list.iter().map(move |it| (part, it)));
    let mut list = ast::DirectiveList::new();
    for directive in merged(directives) {
        list.0.push(directive);
    }
    list
}

fn merged<'a>(
    all: impl Iterator<Item = (&'a SubgraphPart<'a>, &'a Node<ast::Directive>)>,
) -> Vec<Node<ast::Directive>> {
    let mut preserved: Vec<Node<ast::Directive>> = Vec::new();
    for (part, directive) in all {
        let Some((name, known)) = preserved_name(part, directive) else {
            continue;
        };
        let new = ast::Directive {
            name: Name::new_unchecked(name),
            arguments: directive.arguments.clone(),
        };
        let twin = preserved.iter().position(|it| it.name == *name);
        match (twin, known) {
            (Some(index), Some(Directive::RequiresScopes | Directive::Policy)) => {
                require_both(&mut preserved[index], &new);
            }
            (Some(index), Some(Directive::Cost)) => {
                retain_largest_weight(&mut preserved[index], &new);
            }
            // `@tag` and composed directives repeat: once for each set of arguments.
            (Some(_), Some(Directive::Tag) | None) if !CLIENT_DIRECTIVES.contains(&name) => {
                if preserved.iter().all(|it| **it != new) {
                    preserved.push(Node::new(new));
                }
            }
            (Some(_), _) => {}
            (None, _) => preserved.push(Node::new(new)),
        }
    }
    preserved
}

/// The name of a directive in the merged schema, and its kind where it is one of federation;
/// `None` for directives that are not merged.
fn preserved_name<'a>(
    part: &SubgraphPart<'_>,
    directive: &'a ast::Directive,
) -> Option<(&'a str, Option<Directive>)> {
    let local = directive.name.as_str();
    if CLIENT_DIRECTIVES.contains(&local) {
        return Some((local, None));
    }
    match part.sdl.links.directives.find(local) {
        Some(known) => PRESERVED_DIRECTIVES
            .contains(&known)
            .then(|| (known.name(), Some(known))),
        None => part
            .composed_directives
            .contains(local)
            .then_some((local, None)),
    }
}

/// Directives of federation that a gateway reads from the merged schema.
pub(in crate::link) const PRESERVED_DIRECTIVES: [Directive; 7] = [
    Directive::Inaccessible,
    Directive::Tag,
    Directive::Authenticated,
    Directive::RequiresScopes,
    Directive::Policy,
    Directive::Cost,
    Directive::ListSize,
];

/// Requires the scopes or policies of both: every set of one joined with every set of the other.
fn require_both(known: &mut Node<ast::Directive>, new: &ast::Directive) {
    let sets = |directive: &ast::Directive| -> Vec<Vec<Node<Value>>> {
        let argument = directive.arguments.first();
        let lists = argument
            .and_then(|it| it.value.as_list())
            .unwrap_or_default();
        let lists = lists.iter().filter_map(|list| list.as_list());
        lists.map(<[_]>::to_vec).collect()
    };
    let (mut left, mut right) = (sets(known), sets(new));
    if left.len().saturating_mul(right.len()) > MAX_COMBINED_SETS {
        (left, right) = (vec![joined_set(left)], vec![joined_set(right)]);
    }
    let mut joined: Vec<Node<Value>> = Vec::new();
    for set_left in &left {
        for set_right in &right {
            let set = joined_set([set_left.clone(), set_right.clone()]);
            let set = Node::new(Value::List(set));
            if !joined.contains(&set) {
                joined.push(set);
            }
        }
    }
    if let Some(argument) = known.make_mut().arguments.first_mut() {
        argument.make_mut().value = Node::new(Value::List(joined));
    }
}

/// All members of some sets, each once, in their order.
fn joined_set(sets: impl IntoIterator<Item = Vec<Node<Value>>>) -> Vec<Node<Value>> {
    let mut joined: Vec<Node<Value>> = Vec::new();
    for member in sets.into_iter().flatten() {
        if !joined.contains(&member) {
            joined.push(member);
        }
    }
    joined
}

/// Maximum number of joined sets of scopes or policies; beyond it all of them are required at once,
/// which allows less than both directives, never more.
const MAX_COMBINED_SETS: usize = 1_000;

fn retain_largest_weight(known: &mut Node<ast::Directive>, new: &ast::Directive) {
    let weight = |directive: &ast::Directive| {
        let argument = directive.arguments.first();
        argument.and_then(|it: &Node<Argument>| it.value.to_i32())
    };
    if weight(new) > weight(known) {
        known.make_mut().arguments.clone_from(&new.arguments);
    }
}

impl Merge<'_, '_> {
    /// Defines the directives that the merged types use.
    pub(super) fn add_directive_definitions(&mut self, parts: &[SubgraphPart<'_>]) {
        let used = used_directives(&self.schema);
        let definitions = &mut self.schema.directive_definitions;
        for part in parts {
            for (name, definition) in &part.sdl.schema.directive_definitions {
                let is_preserved = CLIENT_DIRECTIVES.contains(&name.as_str())
                    || part.composed_directives.contains(name.as_str());
                if is_preserved && used.contains(name) && !definitions.contains_key(name) {
                    definitions.insert(name.clone(), definition.clone());
                }
            }
        }
        let mut sdl = String::new();
        for definition in DEFINITIONS {
            if PRESERVED_DIRECTIVES.contains(&definition.directive)
                && used.contains(definition.name)
            {
                // Writing to a string does not fail.
                let _ = writeln!(
                    sdl,
                    "directive @{}{}",
                    definition.name, definition.signature
                );
            }
        }
        // The text is generated, and has no errors: the partial schema is the whole schema.
        let parsed = Schema::parse(sdl, "preserved.graphql").unwrap_or_else(|error| error.partial);
        for (name, definition) in parsed.directive_definitions {
            if !definition.is_built_in() {
                definitions.insert(name, definition);
            }
        }
    }
}

/// The names of all directives on types, fields, arguments and values.
pub(in crate::link) fn used_directives(schema: &Schema) -> HashSet<Name> {
    let mut used = HashSet::new();
    let names =
        |list: &ast::DirectiveList| list.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    for definition in schema.types.values() {
        used.extend(definition.directives().iter().map(|it| it.name.clone()));
        for field in fields(definition).into_iter().flat_map(|it| it.values()) {
            used.extend(names(&field.directives));
            let arguments = field.arguments.iter();
            used.extend(arguments.flat_map(|it| names(&it.directives)));
        }
        match definition {
            ExtendedType::Enum(it) => {
                used.extend(it.values.values().flat_map(|it| names(&it.directives)));
            }
            ExtendedType::InputObject(it) => {
                used.extend(it.fields.values().flat_map(|it| names(&it.directives)));
            }
            _ => {}
        }
    }
    used
}
