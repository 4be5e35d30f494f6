//! Error responses: RFC 9457, `application/problem+json`.

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::{HttpResponse, Lifetime};
use crate::store::render;

/// An error response.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    details: Option<Box<ProblemDetails>>,
}

/// The problem types that clients can distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Stock below the requested quantity; has `shortages`.
    StockShort,
    /// Products that do not exist; has `productIds`.
    UnknownProduct,
    /// A reservation with this name exists.
    ReservationExists,
    /// Another merchant sells the product.
    NotYourProduct,
    /// Another account has this address.
    EmailTaken,
    /// The maximum number of orders is reached.
    BookFull,
    /// The status of the order does not allow the action; has `orderStatus`.
    OrderStatus,
    /// The items have no total: different currencies, or an overflow.
    NoTotal,
    /// The idempotency key was used for another order.
    KeyReused,
    /// The order of this idempotency key is in progress.
    KeyInUse,
    /// The products service does not respond, or its response is invalid.
    ProductsUnavailable,
}

/// The optional parts of a problem.
#[derive(Debug, Default)]
struct ProblemDetails {
    kind: Option<Kind>,
    extensions: Map<String, Value>,
    header: Option<(HeaderName, HeaderValue)>,
    lifetime: Option<Lifetime>,
}

/// The members of the JSON object, in the order of the RFC.
#[derive(Serialize)]
struct Body<'p> {
    #[serde(rename = "type")]
    kind: &'p str,
    title: &'p str,
    status: u16,
    detail: &'p str,
    instance: &'p str,
    #[serde(flatten)]
    extensions: Option<&'p Map<String, Value>>,
}

impl Problem {
    /// A problem without a type; `detail` is a sentence about this occurrence.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let problem = Self {
            status,
            detail: detail.into(),
            details: None,
        };
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                problem.with_header(RETRY_AFTER, "1")
            }
            _ => problem,
        }
    }

    /// 422: the request is well-formed but invalid.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 409: the current state does not allow the request.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// Sets the type.
    #[must_use]
    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.details_mut().kind = Some(kind);
        self
    }

    /// Adds an extension member.
    #[must_use]
    pub(crate) fn with_extension(mut self, name: &str, value: Value) -> Self {
        self.details_mut().extensions.insert(name.to_owned(), value);
        self
    }

    /// Sets a header; an invalid header value is left out.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.details_mut().header = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }

    /// Makes the problem cacheable; the default is `no-store`.
    #[must_use]
    pub(crate) fn with_lifetime(mut self, lifetime: &Lifetime) -> Self {
        self.details_mut().lifetime = Some(lifetime.clone());
        self
    }

    /// The response to the request for `instance`, a path.
    pub(crate) fn into_response(self, instance: &str) -> HttpResponse {
        let details = self.details.as_deref();
        let kind = details.and_then(|details| details.kind);
        let reason = self.status.canonical_reason().unwrap_or("Error");
        let body = render(&Body {
            kind: kind.map_or("about:blank", Kind::urn),
            title: kind.map_or(reason, Kind::title),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            extensions: details.map(|details| &details.extensions),
        });
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(details) = self.details {
            if let Some((name, value)) = details.header {
                headers.insert(name, value);
            }
            if let Some(lifetime) = details.lifetime {
                lifetime.apply(&mut response);
            }
        }
        response
    }

    fn details_mut(&mut self) -> &mut ProblemDetails {
        self.details.get_or_insert_default()
    }
}

impl Kind {
    /// The `type` member.
    pub(crate) const fn urn(self) -> &'static str {
        match self {
            Self::StockShort => "urn:shop:stock-short",
            Self::UnknownProduct => "urn:shop:unknown-product",
            Self::ReservationExists => "urn:shop:reservation-exists",
            Self::NotYourProduct => "urn:shop:not-your-product",
            Self::EmailTaken => "urn:shop:email-taken",
            Self::BookFull => "urn:shop:book-full",
            Self::OrderStatus => "urn:shop:order-status",
            Self::NoTotal => "urn:shop:no-total",
            Self::KeyReused => "urn:shop:idempotency-key-reused",
            Self::KeyInUse => "urn:shop:idempotency-key-in-use",
            Self::ProductsUnavailable => "urn:shop:products-unavailable",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::StockShort => "Not enough in stock",
            Self::UnknownProduct => "Unknown product",
            Self::ReservationExists => "Reservation exists",
            Self::NotYourProduct => "Not your product",
            Self::EmailTaken => "E-mail address taken",
            Self::BookFull => "No room for the order",
            Self::OrderStatus => "Not possible in this status",
            Self::NoTotal => "No common total",
            Self::KeyReused => "Idempotency key reused",
            Self::KeyInUse => "Idempotency key in use",
            Self::ProductsUnavailable => "Products unavailable",
        }
    }
}
