//! Builds the URL of a request from a source and a connector.
//!
//! Values are encoded: none can leave its path segment, empty it, or change the host. Whether a URL
//! may be called is not checked here.

use url::Url;

use super::segment::{SegmentCheck, check_segment};
use super::{RenderError, Rendered, Template, TemplatePart, encode, push_text};
use crate::json::{Object, Value, View};
use crate::mapping::ast::{Expr, Head, Item};
use crate::mapping::{Mapping, Report, Vars};

/// The parts of a request URL.
#[derive(Clone, Copy, Debug)]
pub struct UrlTemplate<'t> {
    /// The part of the source; with one, the connector's part is relative to it.
    pub source: Option<UrlPart<'t>>,
    /// The part of the connector.
    pub connect: UrlPart<'t>,
}

/// The part of a URL that a source or a connector defines.
#[derive(Clone, Copy, Debug)]
pub struct UrlPart<'t> {
    /// `baseURL`, or the URL of the method argument (`GET: "…"`).
    pub url: &'t Template,
    /// `path`: a list of segments.
    pub path: Option<&'t Mapping>,
    /// `queryParams`: an object.
    pub query: Option<&'t Mapping>,
}

/// The URL of a request.
#[derive(Clone, Debug)]
pub struct RenderedUrl {
    /// The absolute URL, `http` or `https`.
    pub url: Url,
    /// The reports of all parts.
    pub reports: Vec<UrlReport>,
}

/// A report of a part of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlReport {
    /// The directive that has the part.
    pub owner: UrlOwner,
    /// The template or mapping that `report` is about.
    pub member: UrlMember,
    /// The report, with its range in the template or mapping.
    pub report: Report,
}

/// The directive that has a part of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlOwner {
    /// `@source`.
    Source,
    /// `@connect`.
    Connect,
}

/// A template or mapping of a part of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlMember {
    /// `baseURL`, or the URL of the method argument.
    Url,
    /// `path`.
    Path,
    /// `queryParams`.
    QueryParams,
}

/// An error while building the URL of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// A template could not be rendered.
    #[error(transparent)]
    Template(#[from] RenderError),
    /// `path` did not evaluate to a list.
    #[error("`path` must evaluate to a list, found {0}")]
    PathNotList(&'static str),
    /// A segment of `path` is a list or an object.
    #[error("a segment of `path` must be a scalar, found {0}")]
    Segment(&'static str),
    /// `queryParams` did not evaluate to an object.
    #[error("`queryParams` must evaluate to an object, found {0}")]
    QueryNotObject(&'static str),
    /// A member of `queryParams` is an object, or a list with a list or an object in it.
    #[error("`{key}` in `queryParams` must be a scalar or a list of scalars, found {found}")]
    QueryValue {
        /// The member's key.
        key: String,
        /// The kind of value.
        found: &'static str,
    },
    /// A value, which the text names, renders to an empty segment: the path would be another one.
    #[error("{0} renders to an empty path segment")]
    EmptySegment(String),
    /// A value, which the text names, renders to the segment `.` or `..`, also in a form that some
    /// servers decode to it: the path would be another one.
    #[error("{0} renders to the path segment `.` or `..`")]
    DotSegment(String),
    /// The result is not an absolute `http` or `https` URL.
    #[error("`{url}` is not a URL: {reason}")]
    Invalid {
        /// The rendered text.
        url: String,
        /// The reason why it is invalid.
        reason: String,
    },
}

impl UrlTemplate<'_> {
    /// Builds the URL: scheme and host of the source, then the paths of both parts, then their
    /// queries.
    pub fn join<'a>(&'a self, vars: &Vars<'a>) -> Result<RenderedUrl, UrlError> {
        let mut reports = Vec::new();
        let url = self.join_with_reports(vars, &mut reports)?;
        Ok(RenderedUrl { url, reports })
    }

    /// Builds the URL as `join` does; an error leaves the reports of the parts before it, which
    /// may explain it.
    pub fn join_with_reports<'a>(
        &'a self,
        vars: &Vars<'a>,
        reports: &mut Vec<UrlReport>,
    ) -> Result<Url, UrlError> {
        let mut builder = UrlBuilder {
            origin: String::new(),
            path: String::new(),
            query: String::new(),
            owner: UrlOwner::Source,
            reports,
        };
        if let Some(source) = &self.source {
            builder.start(source, vars)?;
            builder.owner = UrlOwner::Connect;
            builder.append(&self.connect, vars)?;
        } else {
            builder.owner = UrlOwner::Connect;
            builder.start(&self.connect, vars)?;
        }
        builder.finish()
    }
}

struct UrlBuilder<'r> {
    /// Scheme and authority.
    origin: String,
    path: String,
    query: String,
    /// The directive whose part is added.
    owner: UrlOwner,
    reports: &'r mut Vec<UrlReport>,
}

impl UrlBuilder<'_> {
    /// Adds the part with scheme and host.
    fn start<'a>(&mut self, part: &UrlPart<'a>, vars: &Vars<'a>) -> Result<(), UrlError> {
        let text = self.rendered(SegmentCheck::absolute(part.url), part.url, vars)?;
        let authority = text.find("://").map_or(0, |at| at + "://".len());
        let rest = text.get(authority..).unwrap_or_default();
        let len = authority + rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (origin, rest) = text.split_at_checked(len).unwrap_or((&text, ""));
        origin.clone_into(&mut self.origin);
        let (path, query) = path_and_query(rest);
        path.clone_into(&mut self.path);
        self.add_members(part, vars, query)
    }

    /// Adds the part that is relative to the first.
    fn append<'a>(&mut self, part: &UrlPart<'a>, vars: &Vars<'a>) -> Result<(), UrlError> {
        let text = self.rendered(SegmentCheck::relative(part.url), part.url, vars)?;
        let (path, query) = path_and_query(&text);
        if !path.is_empty() && path != "/" {
            self.segment(path.strip_prefix('/').unwrap_or(path));
        }
        self.add_members(part, vars, query)
    }

    /// Adds `path`, the query of the URL and `queryParams` of a part, in this order.
    fn add_members<'a>(
        &mut self,
        part: &UrlPart<'a>,
        vars: &Vars<'a>,
        query: &str,
    ) -> Result<(), UrlError> {
        if let Some(mapping) = part.path {
            let value = self.evaluated(UrlMember::Path, mapping, vars);
            self.add_path(mapping, &value)?;
        }
        self.add_query(query);
        if let Some(mapping) = part.query {
            let value = self.evaluated(UrlMember::QueryParams, mapping, vars);
            self.add_params(&value)?;
        }
        Ok(())
    }

    fn rendered<'a>(
        &mut self,
        mut check: SegmentCheck<'a>,
        template: &'a Template,
        vars: &Vars<'a>,
    ) -> Result<String, UrlError> {
        let mut rendered = Rendered::with_capacity(template);
        for part in template.parts() {
            match part {
                TemplatePart::Constant(part) => {
                    let start = rendered.text.len();
                    rendered.text.push_str(&part.encoded);
                    check.constant(&rendered.text, start)?;
                }
                TemplatePart::Expression(expression) => {
                    let result = expression.render(vars, encode::push_value, &mut rendered);
                    self.report(UrlMember::Url, std::mem::take(&mut rendered.reports));
                    result?;
                    check.expression(expression);
                }
            }
        }
        check.finish(&rendered.text)?;
        Ok(rendered.text)
    }

    fn evaluated<'a>(
        &mut self,
        member: UrlMember,
        mapping: &'a Mapping,
        vars: &Vars<'a>,
    ) -> Value<'a> {
        let outcome = mapping.eval(Value::object(Object::default()), vars);
        self.report(member, outcome.reports);
        outcome.value.unwrap_or(Value::Null)
    }

    fn report(&mut self, member: UrlMember, reports: Vec<Report>) {
        let owner = self.owner;
        let reports = reports.into_iter();
        self.reports.extend(reports.map(|report| UrlReport {
            owner,
            member,
            report,
        }));
    }

    fn add_path(&mut self, mapping: &Mapping, value: &Value<'_>) -> Result<(), UrlError> {
        let View::List(list) = value.view() else {
            return Err(UrlError::PathNotList(value.kind_name()));
        };
        for (index, element) in list.iter().enumerate() {
            let mut segment = String::new();
            push_text(&mut segment, &element, encode::push_value).map_err(UrlError::Segment)?;
            if !segment.is_empty() || !is_literally_empty(mapping, index) {
                check_segment(&segment, || format!("element {} of `path`", index + 1))?;
            }
            self.segment(&segment);
        }
        Ok(())
    }

    fn segment(&mut self, segment: &str) {
        if !self.path.ends_with('/') {
            self.path.push('/');
        }
        self.path.push_str(segment);
    }

    fn add_params(&mut self, value: &Value<'_>) -> Result<(), UrlError> {
        let fields = match value.view() {
            View::Object(fields) => fields,
            // An omitted filter argument adds no parameters.
            View::Null => return Ok(()),
            _ => return Err(UrlError::QueryNotObject(value.kind_name())),
        };
        for (key, value) in fields.iter() {
            match value.view() {
                View::Null => {}
                View::List(list) => {
                    for element in list.iter() {
                        self.param(&key, &element)?;
                    }
                }
                _ => self.param(&key, &value)?,
            }
        }
        Ok(())
    }

    fn param(&mut self, key: &str, value: &Value<'_>) -> Result<(), UrlError> {
        self.add_separator();
        encode::push_value(&mut self.query, key);
        self.query.push('=');
        push_text(&mut self.query, value, encode::push_value).map_err(|found| {
            UrlError::QueryValue {
                key: key.to_owned(),
                found,
            }
        })
    }

    fn add_query(&mut self, query: &str) {
        if !query.is_empty() {
            self.add_separator();
            self.query.push_str(query);
        }
    }

    fn add_separator(&mut self) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
    }

    fn finish(self) -> Result<Url, UrlError> {
        let mut text = self.origin;
        text.push_str(&self.path);
        if !self.query.is_empty() {
            text.push('?');
            text.push_str(&self.query);
        }
        let reason = match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                return Ok(url);
            }
            Ok(_) => "the scheme is neither http nor https".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(UrlError::Invalid { url: text, reason })
    }
}

/// Splits off the query; drops the fragment.
fn path_and_query(text: &str) -> (&str, &str) {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    text.split_once('?').unwrap_or((text, ""))
}

/// Whether `null` or `''` is written as this element of `path`, as in `$(['users', null])`: no
/// value, but a slash at the end.
fn is_literally_empty(path: &Mapping, index: usize) -> bool {
    let [Item::Whole(Expr::Path(path))] = path.ast().items.as_slice() else {
        return false;
    };
    let Head::Expr(list) = &path.head else {
        return false;
    };
    match list.as_ref() {
        Expr::List(elements, _) if path.steps.is_empty() => match elements.get(index) {
            Some(Expr::Null(_)) => true,
            Some(Expr::String(text, _)) => text.is_empty(),
            _ => false,
        },
        _ => false,
    }
}
