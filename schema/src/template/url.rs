//! The URL of a request, put together from a source and a connector.
//!
//! Everything that a caller can influence is encoded, and can neither leave its path segment nor
//! choose a host. Whether a URL may be called is not decided here.

use url::Url;

use super::{RenderError, Template, encode, push_text};
use crate::json::{Object, Value, View};
use crate::mapping::{Mapping, Report, Vars};

/// Where the URL of a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct UrlTemplate<'t> {
    /// What the source gives, if the connector has one; then its own part is relative to it.
    pub source: Option<UrlPart<'t>>,
    /// What the connector gives.
    pub connect: UrlPart<'t>,
}

/// What one of the two gives.
#[derive(Clone, Copy, Debug)]
pub struct UrlPart<'t> {
    /// `baseURL`, or the URL behind the method.
    pub url: &'t Template,
    /// `path`: a list of segments.
    pub path: Option<&'t Mapping>,
    /// `queryParams`: an object.
    pub query: Option<&'t Mapping>,
}

/// A URL that can be called.
#[derive(Clone, Debug)]
pub struct RenderedUrl {
    /// Absolute, `http` or `https`.
    pub url: Url,
    /// What the expressions met.
    pub reports: Vec<Report>,
}

/// Why a request has no URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// A template could not be rendered.
    #[error(transparent)]
    Template(#[from] RenderError),
    /// `path` gave something else than a list.
    #[error("`path` must give a list, found {0}")]
    PathNotList(&'static str),
    /// A segment of `path` has no text.
    #[error("a segment of `path` must be a scalar, found {0}")]
    Segment(&'static str),
    /// `queryParams` gave something else than an object.
    #[error("`queryParams` must give an object, found {0}")]
    QueryNotObject(&'static str),
    /// A member of `queryParams` has no text.
    #[error("`{key}` in `queryParams` must be a scalar or a list of scalars, found {found}")]
    QueryValue {
        /// The member's key.
        key: String,
        /// The kind of value.
        found: &'static str,
    },
    /// A value made a segment `.` or `..`, which would lead to another path.
    #[error("a value would make the path segment `.` or `..`")]
    DotSegment,
    /// The whole is not an absolute `http` or `https` URL.
    #[error("`{url}` is not a URL: {reason}")]
    Invalid {
        /// What was put together.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl UrlTemplate<'_> {
    /// Puts the URL together: scheme and host of the source, then the paths one behind the other,
    /// then the queries.
    pub fn join<'a>(&'a self, vars: &Vars<'a>) -> Result<RenderedUrl, UrlError> {
        let mut building = UrlBuilder::default();
        match &self.source {
            Some(source) => {
                building.start(source, vars)?;
                building.append(&self.connect, vars)?;
            }
            None => building.start(&self.connect, vars)?,
        }
        building.finish()
    }
}

#[derive(Default)]
struct UrlBuilder {
    /// Scheme and authority.
    origin: String,
    path: String,
    query: String,
    reports: Vec<Report>,
}

impl UrlBuilder {
    /// The part that has scheme and host.
    fn start<'a>(&mut self, part: &UrlPart<'a>, vars: &Vars<'a>) -> Result<(), UrlError> {
        let text = self.rendered(part.url, vars)?;
        let authority = text.find("://").map_or(0, |at| at + "://".len());
        let rest = text.get(authority..).unwrap_or_default();
        let len = authority + rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (origin, rest) = text.split_at_checked(len).unwrap_or((&text, ""));
        origin.clone_into(&mut self.origin);
        let (path, query) = path_and_query(rest);
        path.clone_into(&mut self.path);
        check_dots(part.url, path)?;
        self.add_members(part, vars, query)
    }

    /// The part that stands behind it.
    fn append<'a>(&mut self, part: &UrlPart<'a>, vars: &Vars<'a>) -> Result<(), UrlError> {
        let text = self.rendered(part.url, vars)?;
        let (path, query) = path_and_query(&text);
        check_dots(part.url, path)?;
        if !path.is_empty() && path != "/" {
            self.segment(path.strip_prefix('/').unwrap_or(path));
        }
        self.add_members(part, vars, query)
    }

    /// `path`, then the query of the URL, then `queryParams`; for the source all of it comes before
    /// the connector's.
    fn add_members<'a>(
        &mut self,
        part: &UrlPart<'a>,
        vars: &Vars<'a>,
        query: &str,
    ) -> Result<(), UrlError> {
        if let Some(mapping) = part.path {
            let value = self.evaluated(mapping, vars);
            self.add_path(&value)?;
        }
        self.add_query(query);
        if let Some(mapping) = part.query {
            let value = self.evaluated(mapping, vars);
            self.add_params(&value)?;
        }
        Ok(())
    }

    fn rendered<'a>(
        &mut self,
        template: &'a Template,
        vars: &Vars<'a>,
    ) -> Result<String, RenderError> {
        let rendered = template.render_uri(vars)?;
        self.reports.extend(rendered.reports);
        Ok(rendered.text)
    }

    fn evaluated<'a>(&mut self, mapping: &'a Mapping, vars: &Vars<'a>) -> Value<'a> {
        let outcome = mapping.eval(Value::object(Object::default()), vars);
        self.reports.extend(outcome.reports);
        outcome.value.unwrap_or(Value::Null)
    }

    fn add_path(&mut self, value: &Value<'_>) -> Result<(), UrlError> {
        let View::List(list) = value.view() else {
            return Err(UrlError::PathNotList(value.kind_name()));
        };
        for element in list.iter() {
            let mut segment = String::new();
            push_text(&mut segment, &element, encode::push_value).map_err(UrlError::Segment)?;
            if is_dot_segment(&segment) {
                return Err(UrlError::DotSegment);
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
            // A filter that was not given filters nothing.
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

    fn finish(self) -> Result<RenderedUrl, UrlError> {
        let mut text = self.origin;
        text.push_str(&self.path);
        if !self.query.is_empty() {
            text.push('?');
            text.push_str(&self.query);
        }
        let reason = match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                return Ok(RenderedUrl {
                    url,
                    reports: self.reports,
                });
            }
            Ok(_) => "the scheme is neither http nor https".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(UrlError::Invalid { url: text, reason })
    }
}

/// Path and query; a fragment is left out.
fn path_and_query(text: &str) -> (&str, &str) {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    text.split_once('?').unwrap_or((text, ""))
}

/// What an author wrote may have dots; what a value makes of it may not.
fn check_dots(template: &Template, path: &str) -> Result<(), UrlError> {
    if !template.is_constant() && path.split('/').any(is_dot_segment) {
        return Err(UrlError::DotSegment);
    }
    Ok(())
}

/// Whether a segment means this or the upper level; escapes of dots mean dots.
fn is_dot_segment(segment: &str) -> bool {
    segment.len() <= "%2e%2e".len()
        && matches!(
            segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
            "." | ".."
        )
}
