//! `@link`s of a supergraph: the specifications of its directives.

use std::collections::HashSet;

use apollo_compiler::ast::Value;
use apollo_compiler::schema::{Component, Directive};
use apollo_compiler::{Name, Node, name};

use super::super::Composition;
use super::super::part::SubgraphPart;
use super::{list, string, with_arguments};
use crate::sdl::links::LinkedSpecification;

/// A specification other than `link` and `join`; linked when one of its directives is used.
struct Specification {
    url: &'static str,
    directives: &'static [&'static str],
    /// The `for` argument of the link: a gateway must support the specification.
    purpose: Option<&'static str>,
}

const SPECIFICATIONS: [Specification; 7] = [
    Specification {
        url: "https://specs.apollo.dev/tag/v0.3",
        directives: &["tag"],
        purpose: None,
    },
    Specification {
        url: "https://specs.apollo.dev/inaccessible/v0.2",
        directives: &["inaccessible"],
        purpose: Some("SECURITY"),
    },
    Specification {
        url: "https://specs.apollo.dev/context/v0.1",
        directives: &["context"],
        purpose: Some("SECURITY"),
    },
    Specification {
        url: "https://specs.apollo.dev/authenticated/v0.1",
        directives: &["authenticated"],
        purpose: Some("SECURITY"),
    },
    Specification {
        url: "https://specs.apollo.dev/requiresScopes/v0.1",
        directives: &["requiresScopes"],
        purpose: Some("SECURITY"),
    },
    Specification {
        url: "https://specs.apollo.dev/policy/v0.1",
        directives: &["policy"],
        purpose: Some("SECURITY"),
    },
    Specification {
        url: "https://specs.apollo.dev/cost/v0.1",
        directives: &["cost", "listSize"],
        purpose: None,
    },
];

/// The links of the supergraph, in printing order.
pub(super) fn links(
    composition: &Composition<'_>,
    used: &HashSet<Name>,
) -> Vec<Component<Directive>> {
    let mut links = vec![
        link("https://specs.apollo.dev/link/v1.0", None, Vec::new()),
        link(
            "https://specs.apollo.dev/join/v0.5",
            Some("EXECUTION"),
            Vec::new(),
        ),
    ];
    for known in &SPECIFICATIONS {
        if known.directives.iter().any(|name| used.contains(*name)) {
            let imports = match known.directives {
                [_] => Vec::new(), // The directive has the name of the specification.
                several => several.iter().map(|it| string(&format!("@{it}"))).collect(),
            };
            links.push(link(known.url, known.purpose, imports));
        }
    }
    let mut urls = HashSet::new();
    for part in &composition.parts {
        for linked in &part.sdl.links.all {
            if linked.identity == "connect" && urls.insert(&linked.url) {
                links.push(link(&linked.url, Some("EXECUTION"), Vec::new()));
                continue;
            }
            let imports = imports(part, linked, used);
            if !imports.is_empty() && urls.insert(&linked.url) {
                links.push(link(&linked.url, None, imports));
            }
        }
    }
    links
}

/// The imports of a custom specification whose directives the subgraph composes and the schema
/// uses.
fn imports(
    part: &SubgraphPart<'_>,
    linked: &LinkedSpecification,
    used: &HashSet<Name>,
) -> Vec<Value> {
    let imports = linked.link.imports();
    let preserved = imports.filter(|(_, local)| {
        let local = local.trim_start_matches('@');
        part.composed_directives.contains(local) && used.contains(local)
    });
    preserved
        .map(|(original, local)| {
            if original == local {
                return string(original);
            }
            let member = |name, text| (name, Node::new(string(text)));
            Value::Object(vec![
                member(name!("name"), original),
                member(name!("as"), local),
            ])
        })
        .collect()
}

pub(super) fn link(url: &str, purpose: Option<&str>, imports: Vec<Value>) -> Component<Directive> {
    let mut arguments = vec![("url", string(url))];
    if !imports.is_empty() {
        arguments.push(("import", list(imports)));
    }
    let purpose = purpose.map(|purpose| Value::Enum(Name::new_unchecked(purpose)));
    arguments.extend(purpose.map(|purpose| ("for", purpose)));
    with_arguments("link", arguments).into()
}

/// The definitions of each specification, with the directives that they define.
pub(super) const DEFINITIONS: &[(&[&str], &str)] = &[
    (
        &["tag"],
        "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA\n",
    ),
    (
        &["inaccessible"],
        "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION\n",
    ),
    (
        &["context"],
        "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION\ndirective @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION\nscalar context__ContextFieldValue\n",
    ),
    (
        &["authenticated"],
        "directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\n",
    ),
    (
        &["requiresScopes"],
        "directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\nscalar requiresScopes__Scope\n",
    ),
    (
        &["policy"],
        "directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\nscalar policy__Policy\n",
    ),
    (
        &["cost", "listSize"],
        "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR\ndirective @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION\n",
    ),
];
