//! `Vary` of cacheable responses: the client headers that a response may depend on.

use std::collections::BTreeSet;

use http::HeaderValue;
use schema::connector::{self, Connector, Phase};
use schema::graph::Graph;
use schema::mapping::used_fields;
use schema::source::Access;

use crate::config::Config;

/// The value of `Vary` for all cacheable responses, for whichever part of the graph they are.
///
/// An additional header only costs cache hits; a missing one would return a response of another
/// client.
pub(super) fn vary_header(config: &Config, graph: &Graph) -> HeaderValue {
    let mut names = BTreeSet::from(["accept".to_owned()]);
    let services = config.services.0.values();
    let forwarded = services.flat_map(|service| &service.forward_headers);
    let headers = forwarded.chain(&config.cache.caller_headers);
    names.extend(headers.map(|name| name.as_str().to_owned()));
    for (_, source) in graph.sources() {
        let Access::Connector(connector) = &source.access else {
            continue;
        };
        match headers_read_by(connector) {
            Some(read) => names.extend(read),
            None => return HeaderValue::from_static("*"),
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    // The value is invalid only if a name is, and a client cannot have sent that header.
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("*"))
}

/// The client headers that a connector reads; `None` if it may read any.
fn headers_read_by(connector: &Connector) -> Option<BTreeSet<String>> {
    let headers = connector.headers.iter();
    let mut names: BTreeSet<String> = headers
        .filter_map(|header| match &header.value {
            connector::HeaderValue::FromRequest(name) => Some(name.to_string()),
            connector::HeaderValue::Template(_) => None,
        })
        .collect();
    for phase in [Phase::Request, Phase::Response] {
        let uses = connector.variable_uses(phase);
        let mut request_uses = uses.iter().filter(|usage| usage.name == "request");
        if request_uses.any(|usage| usage.fields.is_empty()) {
            return None;
        }
        for part in used_fields(&uses, "request") {
            if part.name == "headers" && part.fields.is_empty() {
                return None;
            }
            let fields = part.fields.into_iter().filter(|_| part.name == "headers");
            names.extend(fields.map(|field| field.name.to_ascii_lowercase()));
        }
    }
    Some(names)
}
