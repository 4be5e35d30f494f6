//! `@source` and `@connect` of one subgraph, checked → sources to fetch from.

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::Directive;
use apollo_compiler::schema::{ExtendedType, FieldDefinition, InterfaceType, ObjectType};
use indexmap::IndexMap;

use self::args::Args;
use self::sources::SourceDirective;
use self::variable_uses::VariableUses;
use super::selection_nodes::SelectionReader;
use super::{Reported, ReportedResult};
use crate::diagnostic::{Code, Diagnostic, Problems, nearest};
use crate::link::LinkOptions;
use crate::mapping::{Mapping, Version};
use crate::sdl::links::ConnectLink;
use crate::sdl::{Sdl, directives_named, field_directives_named};
use crate::source::Source;
use crate::span::Span;
use crate::types::Types;

mod args;
mod check;
mod completeness;
mod connect_directive;
mod entry;
mod http;
mod inference;
mod key;
mod location;
mod site;
mod sources;
mod unbraced;
mod unused_arguments;
mod url;
mod variable_uses;

/// Reads the connectors of `sdl`; empty where the document does not link the connect specification.
pub(super) fn sources(
    sdl: &Sdl,
    types: &Types,
    options: LinkOptions,
    problems: &mut Problems,
) -> Vec<Source> {
    let Some(link) = &sdl.links.connect else {
        return Vec::new();
    };
    if link.version >= Version::V0_4 && !options.experimental_connect {
        problems.push(
            Diagnostic::error(
                Code::UnknownConnectorsVersion,
                link.span.clone(),
                "version 0.4 of the connect specification is experimental, and not enabled",
            )
            .help(Some(
                "link v0.3, or set `graph.experimental_connect: true` in the configuration"
                    .to_owned(),
            )),
        );
        return Vec::new();
    }
    let mut reader = Reader {
        sdl,
        types,
        link,
        sources: IndexMap::new(),
        ids: IndexMap::new(),
        problems,
    };
    reader.sources = sources::read(&mut reader);
    sources::report_not_imported(&mut reader);
    let sources = reader.connectors();
    if !reader.problems.has_errors() {
        completeness::check(&mut reader, &sources);
    }
    sources
}

/// The state of reading one subgraph's connectors.
struct Reader<'a> {
    sdl: &'a Sdl,
    types: &'a Types,
    link: &'a ConnectLink,
    /// By name; `None` for a source with a reported problem.
    sources: IndexMap<String, Option<Arc<SourceDirective>>>,
    /// The connector ids seen so far.
    ids: IndexMap<String, Span>,
    problems: &'a mut Problems,
}

/// The field or type that has a `@connect`.
#[derive(Clone, Copy)]
enum ConnectLocation<'a> {
    Field(&'a ObjectType, &'a FieldDefinition),
    Type(&'a ObjectType),
}

impl<'a> ConnectLocation<'a> {
    fn owner(self) -> &'a ObjectType {
        match self {
            Self::Field(owner, _) | Self::Type(owner) => owner,
        }
    }

    /// `Query.user` for a field, `User` for a type.
    fn name(self) -> String {
        match self {
            Self::Field(owner, field) => format!("{}.{}", owner.name, field.name),
            Self::Type(owner) => owner.name.to_string(),
        }
    }
}

impl Reader<'_> {
    fn connectors(&mut self) -> Vec<Source> {
        let sdl = self.sdl;
        let connect = self.link.connect.as_str();
        let mut sources = Vec::new();
        if let Some(subscription) = &sdl.schema.schema_definition.subscription {
            self.problems.push(Diagnostic::error(
                Code::SubscriptionInConnectors,
                sdl.span(
                    sdl.schema
                        .types
                        .get(&subscription.name)
                        .and_then(ExtendedType::location),
                ),
                "a subgraph with connectors cannot have subscriptions",
            ));
        }
        for definition in sdl.schema.types.values() {
            if let ExtendedType::Interface(interface) = definition {
                self.report_interface_connectors(interface);
            }
            let ExtendedType::Object(object) = definition else {
                continue;
            };
            let directives = directives_named(&object.directives, connect);
            sources.extend(self.connectors_at(ConnectLocation::Type(object), directives));
            for field in object.fields.values() {
                let directives = field_directives_named(&field.directives, connect);
                let location = ConnectLocation::Field(object, field);
                sources.extend(self.connectors_at(location, directives));
            }
        }
        sources
    }

    /// The valid connectors of one field or type.
    fn connectors_at<'d>(
        &mut self,
        location: ConnectLocation<'_>,
        directives: impl Iterator<Item = &'d Node<Directive>>,
    ) -> Vec<Source> {
        let mut count = 0;
        let mut sources = Vec::new();
        for (index, directive) in directives.enumerate() {
            count += 1;
            sources.extend(self.connector(location, index, directive));
        }
        // An invalid connector may be the one that uses an argument.
        if count > 0 && sources.len() == count {
            unused_arguments::check(self, location, &sources);
        }
        sources
    }

    /// Reports connectors on fields of an interface: its object types resolve them.
    fn report_interface_connectors(&mut self, interface: &InterfaceType) {
        let connect = self.link.connect.as_str();
        for field in interface.fields.values() {
            for directive in field_directives_named(&field.directives, connect) {
                let message = format!(
                    "`{}` is an interface, and its fields cannot have connectors",
                    interface.name
                );
                let span = self.sdl.span(directive.location());
                let code = Code::ConnectorsUnsupportedAbstractType;
                let help = "move the connector to the object types that implement it".to_owned();
                let problem = Diagnostic::error(code, span, message).help(Some(help));
                self.problems.push(problem);
            }
        }
    }

    fn connector(
        &mut self,
        location: ConnectLocation<'_>,
        index: usize,
        directive: &Node<Directive>,
    ) -> Option<Source> {
        let args = Args::from_directive(self.sdl, directive);
        let mark = self.problems.mark();
        let is_allowed = location::check(self, location, &args).is_ok();
        let (selection, connect) = self.read_connect_directive(location, &args);
        let is_clean = !self.problems.has_errors_since(mark);
        let Some(connect) = connect.filter(|_| is_allowed && is_clean) else {
            // The selection is checked although the rest is invalid.
            if let Some(selection) = &selection {
                entry::check_selection(self, location, selection);
            }
            return None;
        };
        let uses = VariableUses::new(&connect);
        let parsed = entry::ParsedConnect {
            args: &args,
            uses: &uses,
            directive: &connect,
        };
        let entry::ConnectorEntryPoints {
            entry_points,
            nodes,
            output,
        } = entry::entry_points(self, location, &parsed).ok()?;
        let settings = uses.required_settings(self);
        let name = format!("{}:{}[{index}]", self.sdl.name, location.name());
        Some(Source {
            name: name.into(),
            subgraph: Arc::clone(&self.sdl.name),
            entry_points,
            nodes,
            access: crate::source::Access::Connector(Arc::new(connect.connector(output, settings))),
        })
    }

    /// A reader that checks the selection of a connector.
    fn selection_reader<'v>(&'v mut self, selection: &'v Located<Mapping>) -> SelectionReader<'v> {
        SelectionReader {
            sdl: self.sdl,
            types: self.types,
            literal: &selection.literal,
            abstract_types: self.link.version >= Version::V0_4,
            problems: self.problems,
            nodes: Vec::new(),
        }
    }

    /// The source that a connector names; reports an unknown one.
    fn named_source(&mut self, args: &Args<'_>) -> ReportedResult<Option<Arc<SourceDirective>>> {
        let Some(named) = args.text("source") else {
            return Ok(None);
        };
        if let Some(source) = self.sources.get(&named.value) {
            return source.clone().map(Some).ok_or(Reported);
        }
        let span = args.span_of("source");
        let problem = if self.sources.is_empty() {
            Diagnostic::error(
                Code::NoSourcesDefined,
                span,
                format!(
                    "the connector names the source `{}`, and the subgraph has no sources",
                    named.value
                ),
            )
            .help(Some(format!(
                "add `@{}(name: \"{}\", http: {{ baseURL: \"…\" }})` to the schema",
                self.link.source, named.value
            )))
        } else {
            let known = self.sources.keys().map(String::as_str);
            let close = nearest(&named.value, known).map(|name| format!("write `{name}`"));
            let all: Vec<_> = self
                .sources
                .keys()
                .map(|name| format!("`{name}`"))
                .collect();
            Diagnostic::error(
                Code::SourceNameMismatch,
                span,
                format!("`{}` is not a source of this subgraph", named.value),
            )
            .help(Some(
                close.unwrap_or_else(|| format!("use one of {}", all.join(", "))),
            ))
        };
        self.problems.push(problem);
        Err(Reported)
    }

    fn check_id(&mut self, args: &Args<'_>) {
        let Some(id) = args.text("id") else {
            return;
        };
        let span = args.span_of("id");
        if !is_name(&id.value) {
            self.problems.push(Diagnostic::error(
                Code::InvalidConnectorIdName,
                span.clone(),
                format!("`{}` is not a GraphQL name", id.value),
            ));
        }
        if let Some(first) = self.ids.get(&id.value) {
            self.problems.push(
                Diagnostic::error(
                    Code::DuplicateIdName,
                    span,
                    format!("the connector id `{}` is already used", id.value),
                )
                .label(first.clone(), "first used here"),
            );
        } else {
            self.ids.insert(id.value, span);
        }
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A parsed text with its literal, for the locations of problems.
#[derive(Debug)]
struct Located<T> {
    value: Arc<T>,
    literal: Arc<crate::sdl::literal::Literal>,
}

impl<T> Clone for Located<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            literal: Arc::clone(&self.literal),
        }
    }
}
