//! The join specification of a supergraph: its version, directive names and subgraphs.

use apollo_compiler::ast::Directive;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};
use indexmap::IndexMap;
use url::Url;

use super::arguments;
use super::document::SupergraphDocument;
use super::features::{Feature, Features};
use crate::diagnostic::{Code, Diagnostic, Problems, nearest};
use crate::sdl::links;
use crate::span::Span;

/// A supergraph document with its join specification.
pub(super) struct Join<'a> {
    pub(super) document: &'a SupergraphDocument,
    pub(super) features: Features,
    pub(super) version: JoinVersion,
    /// The subgraphs, by their values of `join__Graph`.
    pub(super) graphs: IndexMap<Name, JoinGraph>,
    names: DirectiveNames,
}

/// Versions of the join specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum JoinVersion {
    /// Version 0.1, of federation 1.
    V0_1,
    V0_2,
    V0_3,
    V0_4,
    V0_5,
}

const VERSIONS: [(&str, JoinVersion); 5] = [
    ("0.1", JoinVersion::V0_1),
    ("0.2", JoinVersion::V0_2),
    ("0.3", JoinVersion::V0_3),
    ("0.4", JoinVersion::V0_4),
    ("0.5", JoinVersion::V0_5),
];

/// The position of a subgraph in the order of `join__Graph`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct GraphId(pub(super) usize);

/// A subgraph as `@join__graph` names it.
pub(super) struct JoinGraph {
    pub(super) name: crate::types::Name,
    pub(super) url: Option<crate::types::Name>,
}

/// The names of the join directives in the document.
struct DirectiveNames(Vec<(JoinDirective, String)>);

/// Directives of the join specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinDirective {
    Graph,
    Owner,
    Type,
    Field,
    Implements,
    UnionMember,
    /// `@join__directive`: a preserved directive of a subgraph.
    Preserved,
}

const DIRECTIVES: [(JoinDirective, &str); 7] = [
    (JoinDirective::Graph, "graph"),
    (JoinDirective::Owner, "owner"),
    (JoinDirective::Type, "type"),
    (JoinDirective::Field, "field"),
    (JoinDirective::Implements, "implements"),
    (JoinDirective::UnionMember, "unionMember"),
    (JoinDirective::Preserved, "directive"),
];

/// Reads the join specification; reports an unsupported document and returns `None`.
pub(super) fn read<'a>(
    document: &'a SupergraphDocument,
    problems: &mut Problems,
) -> Option<Join<'a>> {
    let features = Features::read(document);
    let Some(feature) = features.get("join") else {
        problems.push(not_a_supergraph(document));
        return None;
    };
    let version = problems.ok_or_push(version(feature))?;
    reject_unknown_features(&features, problems);
    let names = DIRECTIVES.map(|(directive, name)| (directive, feature.directive(name)));
    let names = DirectiveNames(names.into());
    let graphs = graphs(document, &feature.type_name("Graph"), &names, problems);
    Some(Join {
        document,
        features,
        version,
        graphs,
        names,
    })
}

fn not_a_supergraph(document: &SupergraphDocument) -> Diagnostic {
    let message = format!(
        "`{}` is not a supergraph: it does not link the join specification",
        document.file.name
    );
    let help = "configure it under `graph.subgraphs` if it is the SDL of one subgraph";
    let span = Span::new(&document.file, 0..0);
    Diagnostic::error(Code::NotASupergraph, span, message).help(Some(help.to_owned()))
}

fn version(feature: &Feature) -> Result<JoinVersion, Diagnostic> {
    let mut known = VERSIONS.iter();
    let found = known.find(|(text, _)| *text == feature.version);
    found.map(|(_, version)| *version).ok_or_else(|| {
        let message = format!(
            "version `v{}` of the join specification is not supported",
            feature.version
        );
        let known = VERSIONS.map(|(text, _)| format!("v{text}")).join(", ");
        Diagnostic::error(Code::UnknownJoinVersion, feature.span.clone(), message)
            .help(Some(format!("the supported versions are {known}")))
    })
}

/// Reports specifications that are not enforced, and unsupported ones with a purpose: a gateway
/// must not serve the graph without supporting them (link v1.0).
fn reject_unknown_features(features: &Features, problems: &mut Problems) {
    for feature in features.iter() {
        let (identity, at) = (&feature.identity, feature.span.clone());
        if links::NOT_ENFORCED.contains(&identity.as_str()) {
            problems.push(links::not_enforced(identity, at));
        } else if let Some(purpose) = &feature.purpose
            && !links::is_understood(identity)
        {
            problems.push(links::unknown_purpose(identity, purpose, at));
        }
    }
}

fn graphs(
    document: &SupergraphDocument,
    of: &str,
    names: &DirectiveNames,
    problems: &mut Problems,
) -> IndexMap<Name, JoinGraph> {
    let mut graphs: IndexMap<Name, JoinGraph> = IndexMap::new();
    let Some(definition) = document.schema.get_enum(of) else {
        let message = format!("the enum `{of}`, which lists the subgraphs, is missing");
        problems.push(Diagnostic::without_span(Code::SupergraphInvalid, message));
        return graphs;
    };
    for (value, definition) in &definition.values {
        let mut directives = definition.directives.iter();
        let graph = directives.find(|it| it.name == names.get(JoinDirective::Graph));
        let named = graph.and_then(|graph| Some((graph, arguments::text(graph, "name")?)));
        let Some((graph, name)) = named else {
            let message = format!("`{value}` has no `@{}`", names.get(JoinDirective::Graph));
            let span = document.span(definition.value.location());
            problems.push(Diagnostic::error(Code::SupergraphInvalid, span, message));
            continue;
        };
        if graphs.values().any(|known| *known.name == *name) {
            let message = format!("two subgraphs have the name `{name}`");
            let span = document.span(definition.value.location());
            problems.push(Diagnostic::error(Code::SupergraphInvalid, span, message));
        }
        let url = arguments::text(graph, "url").filter(|url| !url.is_empty());
        if url.is_some_and(has_user) {
            problems.push(user_in_url(document, graph, name));
        }
        let graph = JoinGraph {
            name: name.into(),
            url: url.map(Into::into),
        };
        graphs.insert(value.clone(), graph);
    }
    graphs
}

/// Whether a URL has a user or a password.
fn has_user(url: &str) -> bool {
    let url = url.parse::<Url>();
    url.is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
}

fn user_in_url(document: &SupergraphDocument, graph: &Node<Directive>, name: &str) -> Diagnostic {
    let url = graph.specified_argument_by_name("url");
    let span = document.span(url.and_then(Node::location));
    let message = format!("the URL of the subgraph `{name}` contains a user, which is not sent");
    let help = format!(
        "remove it from the supergraph, and set the header `authorization` in `services.{name}.headers`"
    );
    Diagnostic::error(Code::InvalidUrl, span, message).help(help)
}

impl Join<'_> {
    /// The types of the graph, without those of specifications.
    pub(super) fn types(&self) -> impl Iterator<Item = (&Name, &ExtendedType)> {
        let types = self.document.schema.types.iter();
        types
            .filter(|(name, definition)| !definition.is_built_in() && !self.features.has_type(name))
    }

    /// The uses of `directive` in `list`, in document order.
    pub(super) fn directives<'l>(
        &self,
        list: impl IntoIterator<Item = &'l Node<Directive>>,
        directive: JoinDirective,
    ) -> impl Iterator<Item = &'l Node<Directive>> {
        let name = self.names.get(directive);
        list.into_iter().filter(move |it| it.name == name)
    }

    /// The subgraph with this position.
    pub(super) fn graph(&self, id: GraphId) -> &JoinGraph {
        &self.graphs[id.0]
    }

    /// The subgraph that `directive` names, if it exists.
    pub(super) fn graph_id(&self, directive: &Directive) -> Option<GraphId> {
        let name = arguments::enum_value(directive, "graph")?;
        self.graphs.get_index_of(name).map(GraphId)
    }

    /// The subgraph that `directive` names; reports an unknown one.
    pub(super) fn checked_graph_id(
        &self,
        directive: &Node<Directive>,
        problems: &mut Problems,
    ) -> Option<GraphId> {
        let name = arguments::enum_value(directive, "graph")?;
        let id = self.graph_id(directive);
        if id.is_none() {
            let message = format!("`{name}` is not a subgraph of this supergraph");
            let help = nearest(name, self.graphs.keys().map(Name::as_str));
            let problem = Diagnostic::error(Code::SupergraphInvalid, self.span(directive), message);
            problems.push(problem.help(help.map(|name| format!("write `{name}`"))));
        }
        id
    }

    /// The existing subgraphs that `directive` lists.
    pub(super) fn graph_ids(&self, directive: &Directive) -> Vec<GraphId> {
        let Some(graphs) = directive.specified_argument_by_name("graphs") else {
            return Vec::new();
        };
        // A single value is a list of one (GraphQL §3.11).
        let graphs = graphs.as_list().unwrap_or(std::slice::from_ref(graphs));
        let names = graphs.iter().filter_map(|it| it.as_enum());
        names
            .filter_map(|name| self.graphs.get_index_of(name).map(GraphId))
            .collect()
    }

    /// The span of `directive`.
    pub(super) fn span(&self, directive: &Node<Directive>) -> Span {
        self.document.span(directive.location())
    }
}

impl DirectiveNames {
    fn get(&self, directive: JoinDirective) -> &str {
        let mut names = self.0.iter();
        let found = names.find(|(known, _)| *known == directive);
        found.map_or("", |(_, name)| name)
    }
}
