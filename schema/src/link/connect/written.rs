//! Every text of a `@connect`, read, and the connector that they make together.

use std::sync::Arc;

use super::args::Args;
use super::http::{self, Http};
use super::site::{On, Part, Site};
use super::sources::{self, SourceDirective};
use super::{Place, Placed, Reader};
use crate::connector::{Connector, Gives, Location};
use crate::mapping::{Mapping, Version};
use crate::template::Template;
use crate::types::Name;

/// A `@connect` whose texts all parsed.
pub(super) struct Written {
    pub(super) id: Option<Name>,
    pub(super) service: Name,
    pub(super) source: Option<Arc<SourceDirective>>,
    pub(super) http: Http,
    pub(super) errors: sources::Errors,
    pub(super) is_success: Option<Placed<Mapping>>,
    pub(super) selection: Placed<Mapping>,
}

impl Reader<'_> {
    /// Reads every text of a directive; the selection, and all of them when all of them parsed.
    pub(super) fn written(
        &mut self,
        place: Place<'_>,
        args: &Args<'_>,
    ) -> (Option<Placed<Mapping>>, Option<Written>) {
        let on = On::Connect(place);
        let source = self.source_of(args);
        let http = http::connect(self, args, place);
        self.id(args);
        let errors = sources::errors(self, args, on);
        let is_success = args.mapping(self, "isSuccess", Site::new(on, Part::IsSuccess));
        let requestless = args.get("http").is_none() && self.link.version >= Version::V0_4;
        let part = if requestless {
            Part::Requestless
        } else {
            Part::Selection
        };
        let selection = args.mapping(self, "selection", Site::new(on, part));
        let selection = selection.ok().flatten();
        let all = || {
            Some(Written {
                id: args.text("id").map(|id| id.value.into()),
                source: source.ok()?,
                http: http?,
                errors: errors.ok()?,
                is_success: is_success.ok()?,
                selection: selection.clone()?,
                service: Arc::clone(&self.sdl.name),
            })
        };
        let written = all();
        (selection, written)
    }
}

impl Written {
    /// The connector that it is, with what its source says for all of them.
    pub(super) fn connector(self, gives: Gives) -> Connector {
        let source = self.source.as_deref();
        let both = |from_source: Option<&Placed<Mapping>>, own: Option<&Placed<Mapping>>| {
            let both = from_source.into_iter().chain(own);
            both.map(|placed| Arc::clone(&placed.it)).collect()
        };
        let one = |own: Option<&Placed<Mapping>>, from_source: Option<&Placed<Mapping>>| {
            own.or(from_source).map(|placed| Arc::clone(&placed.it))
        };
        let inherited = source.map_or(&[][..], |source| &source.headers);
        let replaced = |name: &Name| self.http.headers.iter().any(|own| own.it.name == *name);
        Connector {
            id: self.id,
            source: source.map(|it| format!("{}.{}", self.service, it.name).into()),
            method: self.http.method,
            base: source.map(|source| {
                location(
                    &source.base_url,
                    source.path.as_ref(),
                    source.query.as_ref(),
                )
            }),
            own: location(
                &self.http.url,
                self.http.path.as_ref(),
                self.http.query.as_ref(),
            ),
            headers: inherited
                .iter()
                .filter(|header| !replaced(&header.it.name))
                .chain(&self.http.headers)
                .map(|header| Arc::clone(&header.it))
                .collect(),
            body: self.http.body.as_ref().map(|body| Arc::clone(&body.it)),
            is_success: one(
                self.is_success.as_ref(),
                source.and_then(|it| it.is_success.as_ref()),
            ),
            error_message: one(
                self.errors.message.as_ref(),
                source.and_then(|it| it.errors.message.as_ref()),
            ),
            error_extensions: both(
                source.and_then(|it| it.errors.extensions.as_ref()),
                self.errors.extensions.as_ref(),
            ),
            selection: self.selection.it,
            gives,
        }
    }
}

fn location(
    url: &Placed<Template>,
    path: Option<&Placed<Mapping>>,
    query: Option<&Placed<Mapping>>,
) -> Location {
    let it = |placed: &Placed<Mapping>| Arc::clone(&placed.it);
    Location {
        url: Arc::clone(&url.it),
        path: path.map(it),
        query: query.map(it),
    }
}
