//! Reads the texts of a `@connect`, and combines them with those of its source into a connector.

use std::sync::Arc;

use super::args::Args;
use super::http::{self, Http};
use super::site::{DirectiveArgument, Site, SiteDirective};
use super::sources::{self, SourceDirective};
use super::{ConnectLocation, Located, Reader};
use crate::connector::{Connector, ConnectorOutput, ConnectorUrl, RequiredSetting};
use crate::mapping::{Mapping, Version};
use crate::template::Template;
use crate::types::Name;

/// A `@connect` whose texts are all valid.
pub(super) struct ConnectDirective {
    pub(super) id: Option<Name>,
    pub(super) subgraph: Name,
    pub(super) source: Option<Arc<SourceDirective>>,
    pub(super) http: Http,
    pub(super) errors: sources::ErrorMappings,
    pub(super) is_success: Option<Located<Mapping>>,
    pub(super) selection: Located<Mapping>,
}

impl Reader<'_> {
    /// Reads every text of a directive. Returns the selection, for checks on its own, and the
    /// directive where all texts are valid.
    pub(super) fn read_connect_directive(
        &mut self,
        location: ConnectLocation<'_>,
        args: &Args<'_>,
    ) -> (Option<Located<Mapping>>, Option<ConnectDirective>) {
        let directive = SiteDirective::Connect(location);
        let source = self.named_source(args);
        let http = http::read(self, args, location);
        self.check_id(args);
        let errors = sources::errors(self, args, directive);
        let is_success = args.mapping(
            self,
            "isSuccess",
            Site::new(directive, DirectiveArgument::IsSuccess),
        );
        let requestless = args.get("http").is_none() && self.link.version >= Version::V0_4;
        let argument = if requestless {
            DirectiveArgument::Requestless
        } else {
            DirectiveArgument::Selection
        };
        let selection = args.mapping(self, "selection", Site::new(directive, argument));
        let selection = selection.ok().flatten();
        let connect = || {
            Some(ConnectDirective {
                id: args.text("id").map(|id| id.value.into()),
                source: source.ok()?,
                http: http?,
                errors: errors.ok()?,
                is_success: is_success.ok()?,
                selection: selection.clone()?,
                subgraph: Arc::clone(&self.sdl.name),
            })
        };
        let connect = connect();
        (selection, connect)
    }
}

impl ConnectDirective {
    /// The connector, with the headers, errors and URL of its source.
    pub(super) fn connector(
        self,
        output: ConnectorOutput,
        required_settings: Vec<RequiredSetting>,
    ) -> Connector {
        let source = self.source.as_deref();
        let merged = |from_source: Option<&Located<Mapping>>, own: Option<&Located<Mapping>>| {
            let mappings = from_source.into_iter().chain(own);
            mappings.map(|mapping| Arc::clone(&mapping.value)).collect()
        };
        let preferred = |own: Option<&Located<Mapping>>, from_source: Option<&Located<Mapping>>| {
            own.or(from_source)
                .map(|mapping| Arc::clone(&mapping.value))
        };
        let inherited = source.map_or(&[][..], |source| &source.headers);
        let replaced = |name: &Name| self.http.headers.iter().any(|own| own.header.name == *name);
        Connector {
            id: self.id,
            source: source.map(|it| format!("{}.{}", self.subgraph, it.name).into()),
            method: self.http.method,
            source_url: source.map(|source| {
                connector_url(
                    &source.base_url,
                    source.path.as_ref(),
                    source.query.as_ref(),
                )
            }),
            connect_url: connector_url(
                &self.http.url,
                self.http.path.as_ref(),
                self.http.query.as_ref(),
            ),
            headers: inherited
                .iter()
                .filter(|header| !replaced(&header.header.name))
                .chain(&self.http.headers)
                .map(|header| Arc::clone(&header.header))
                .collect(),
            body: self.http.body.as_ref().map(|body| Arc::clone(&body.value)),
            is_success: preferred(
                self.is_success.as_ref(),
                source.and_then(|it| it.is_success.as_ref()),
            ),
            error_message: preferred(
                self.errors.message.as_ref(),
                source.and_then(|it| it.errors.message.as_ref()),
            ),
            error_extensions: merged(
                source.and_then(|it| it.errors.extensions.as_ref()),
                self.errors.extensions.as_ref(),
            ),
            selection: self.selection.value,
            output,
            required_settings,
        }
    }
}

fn connector_url(
    url: &Located<Template>,
    path: Option<&Located<Mapping>>,
    query: Option<&Located<Mapping>>,
) -> ConnectorUrl {
    let value = |mapping: &Located<Mapping>| Arc::clone(&mapping.value);
    ConnectorUrl {
        url: Arc::clone(&url.value),
        path: path.map(value),
        query: query.map(value),
    }
}
