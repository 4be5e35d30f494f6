//! The method and URL of a connector or source. Scheme and host never depend on request data, so
//! that no value redirects a request to another server.

use super::args::Args;
use super::site::{DirectiveArgument, Site, SiteDirective};
use super::{Located, Reader};
use crate::connector::Method;
use crate::diagnostic::{Code, Diagnostic};
use crate::span::Span;
use crate::template::Template;

/// Reads the method and URL of a connector; `None` when a problem was reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    http: &Args<'_>,
    directive: SiteDirective<'_>,
    has_source: bool,
) -> Option<(Method, Located<Template>)> {
    let (name, method) = method(reader, http)?;
    let url = http
        .template(reader, name, Site::new(directive, DirectiveArgument::Url))
        .ok()??;
    check(reader, &url, http.span_of(name), has_source);
    Some((method, url))
}

fn method(reader: &mut Reader<'_>, http: &Args<'_>) -> Option<(&'static str, Method)> {
    let methods: Vec<_> = Method::ALL
        .into_iter()
        .filter(|(name, _)| http.get(name).is_some())
        .collect();
    match methods.as_slice() {
        [one] => Some(*one),
        [] => {
            let message = "`http` has no method";
            let problem = Diagnostic::error(Code::MissingHttpMethod, http.span(), message).help(
                Some("add one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE` with the URL".to_owned()),
            );
            reader.problems.push(problem);
            None
        }
        [(first, _), (second, _), ..] => {
            let problem = Diagnostic::error(
                Code::MultipleHttpMethods,
                http.span_of(second),
                "a connector sends one request, with one method",
            )
            .label(http.span_of(first), "the other method")
            .help(Some("remove one of them".to_owned()));
            reader.problems.push(problem);
            None
        }
    }
}

fn check(reader: &mut Reader<'_>, url: &Located<Template>, span: Span, has_source: bool) {
    let absolute = scheme(&url.literal.value).is_some();
    let (code, message, help) = match (absolute, has_source) {
        (true, true) => (
            Code::AbsoluteConnectUrlWithSource,
            "the URL of a connector with a `source` is relative to the source's `baseURL`",
            "remove scheme and host, or remove `source`",
        ),
        (false, false) => (
            Code::RelativeConnectUrlWithoutSource,
            "a connector without a `source` needs an absolute URL",
            "name a `source`, or add scheme and host",
        ),
        (true, false) => {
            check_absolute(reader, url, span);
            return check_host(reader, url);
        }
        (false, true) => return,
    };
    let problem = Diagnostic::error(code, span, message).help(Some(help.to_owned()));
    reader.problems.push(problem);
}

/// Reports a URL without a constant scheme, or with an invalid host.
pub(super) fn check_absolute(reader: &mut Reader<'_>, url: &Located<Template>, span: Span) {
    let value = url.literal.value.trim_start();
    let (code, message, help) = if value.starts_with('{') {
        (
            Code::InvalidUrl,
            "the scheme of a URL cannot come from an expression, whose value is percent-encoded"
                .to_owned(),
            "write `https://…` here; the configuration can override it with \
             `connectors.sources.<subgraph>.<source>.url`",
        )
    } else {
        let help = "start with `http://` or `https://`";
        match scheme(value) {
            Some("http" | "https") => return check_authority(reader, value, span),
            Some(other) => (
                Code::InvalidUrlScheme,
                format!("the scheme `{other}` is not supported"),
                help,
            ),
            None => (Code::InvalidUrl, "the URL has no scheme".to_owned(), help),
        }
    };
    let problem = Diagnostic::error(code, span, message).help(Some(help.to_owned()));
    reader.problems.push(problem);
}

/// Reports an invalid host or port; one that contains an expression is not checked.
fn check_authority(reader: &mut Reader<'_>, value: &str, span: Span) {
    let Some((_, rest)) = value.split_once("://") else {
        return;
    };
    let authority = rest.split(AUTHORITY_END).next().unwrap_or(rest);
    if has_user(authority) {
        let message = "the URL contains a user, which is not sent";
        let help = "send credentials as a header, as in `{ name: \"authorization\", value: \"Basic {$env.CREDENTIALS}\" }` \
                    with `user:password` in base64";
        let problem = Diagnostic::error(Code::InvalidUrl, span, message);
        return reader.problems.push(problem.help(help.to_owned()));
    }
    if authority.contains('{') {
        return;
    }
    if let Err(error) = url::Url::parse(&format!("http://{authority}/")) {
        let message = format!("`{authority}` is not a valid host: {error}");
        let problem = Diagnostic::error(Code::InvalidUrl, span, message);
        reader.problems.push(problem);
    }
}

/// Reports an expression in the host: a connector without a source has no configured values to use
/// there.
fn check_host(reader: &mut Reader<'_>, url: &Located<Template>) {
    let Some(expression) = url.value.expressions().next() else {
        return;
    };
    let value = url.literal.value.as_str();
    let before = value.get(..expression.range.start).unwrap_or(value);
    let is_in_host = before
        .split_once("://")
        .is_some_and(|(_, host)| !host.contains(AUTHORITY_END));
    if is_in_host {
        let range = url.literal.source_range(&expression.range);
        let problem = Diagnostic::error(
            Code::InvalidUrl,
            Span::new(&reader.sdl.document, range),
            "the host of a URL cannot contain an expression",
        )
        .help(Some(
            "write a constant host, or name a `source` whose `baseURL` has `$config` in its host"
                .to_owned(),
        ));
        reader.problems.push(problem);
    }
}

/// The text before `://`, where it is a scheme.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.trim_start().split_once("://")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    (!scheme.is_empty() && scheme.bytes().all(allowed)).then_some(scheme)
}

/// Whether the host follows `user@` or `user:password@`; an `@` in an expression is no separator.
fn has_user(authority: &str) -> bool {
    let mut depth = 0_usize;
    authority.chars().any(|character| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == '@' && depth == 0
    })
}

/// Characters that end the host of a URL.
const AUTHORITY_END: [char; 3] = ['/', '?', '#'];
