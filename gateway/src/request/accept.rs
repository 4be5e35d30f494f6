//! `Accept`: selects the media type of a response ("Accept", RFC 9110 §12.5.1).

use http::HeaderMap;
use http::header::ACCEPT;

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// `application/graphql-response+json`: clients trust the body whatever the status.
    GraphqlResponse,
    /// `application/json`, for legacy clients.
    Json,
}

/// The preferred type that the client accepts; `None` if it accepts neither.
///
/// Without a preference it is plain JSON, which `curl` and legacy clients certainly understand.
pub(crate) fn negotiate(headers: &HeaderMap) -> Option<MediaType> {
    let mut ranges = headers.get_all(ACCEPT).iter().peekable();
    if ranges.peek().is_none() {
        return Some(MediaType::Json);
    }
    let mut graphql_response = Preference::default();
    let mut json = Preference::default();
    for range in ranges
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
    {
        let (range, weight) = range_and_weight(range);
        graphql_response.update(
            specificity(range, "application/graphql-response+json"),
            weight,
        );
        json.update(specificity(range, "application/json"), weight);
    }
    if graphql_response.is_acceptable() && graphql_response.is_preferred_over(json) {
        Some(MediaType::GraphqlResponse)
    } else {
        json.is_acceptable().then_some(MediaType::Json)
    }
}

/// The weight of the most specific range that covers a type.
#[derive(Clone, Copy, Default)]
struct Preference {
    specificity: u8,
    weight: u16,
}

impl Preference {
    fn update(&mut self, specificity: u8, weight: u16) {
        if specificity > self.specificity {
            *self = Self {
                specificity,
                weight,
            };
        }
    }

    fn is_acceptable(self) -> bool {
        self.specificity > 0 && self.weight > 0
    }

    /// Compares weights; on a tie, an exact name wins, because the client understands that type.
    fn is_preferred_over(self, other: Self) -> bool {
        self.weight > other.weight || (self.weight == other.weight && self.specificity == EXACT)
    }
}

const EXACT: u8 = 3;

/// How specifically `range` names `media_type`; 0 if it does not cover it.
fn specificity(range: &str, media_type: &str) -> u8 {
    if range.eq_ignore_ascii_case(media_type) {
        EXACT
    } else if range.eq_ignore_ascii_case("application/*") {
        2
    } else {
        u8::from(range == "*/*")
    }
}

/// The range without its parameters, and its `q` in thousandths.
fn range_and_weight(text: &str) -> (&str, u16) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("q")
            .then(|| thousandths(value.trim()))
    });
    (range, weight.unwrap_or(1_000))
}

/// `0.9` as 900; an invalid weight counts as 1.
fn thousandths(weight: &str) -> u16 {
    let weight: f32 = weight.parse().unwrap_or(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000 after the clamp; a NaN becomes 0"
    )]
    let thousandths = (weight.clamp(0.0, 1.0) * 1_000.0) as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::MediaType::{GraphqlResponse, Json};
    use super::*;

    #[track_caller]
    fn check(accept: &'static str, expected: Option<MediaType>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        assert_eq!(negotiate(&headers), expected, "{accept}");
    }

    #[test]
    fn the_named_type_is_selected() {
        check("application/graphql-response+json", Some(GraphqlResponse));
        check("application/json", Some(Json));
        check("APPLICATION/JSON; charset=utf-8", Some(Json));
    }

    #[test]
    fn weights_decide_and_the_newer_type_wins_a_tie() {
        check(
            "application/graphql-response+json, application/json;q=0.9",
            Some(GraphqlResponse),
        );
        check(
            "application/json, application/graphql-response+json",
            Some(GraphqlResponse),
        );
        check(
            "application/json, application/graphql-response+json;q=0.5",
            Some(Json),
        );
        check(
            "application/graphql-response+json;q=0, application/json",
            Some(Json),
        );
    }

    #[test]
    fn a_client_without_preference_gets_plain_json() {
        assert_eq!(negotiate(&HeaderMap::new()), Some(Json));
        check("*/*", Some(Json));
        check("text/html, application/*;q=0.8", Some(Json));
        check("application/json;q=0.1, */*", Some(GraphqlResponse));
    }

    #[test]
    fn a_client_that_accepts_neither_has_no_media_type() {
        check("text/html", None);
        check("application/json;q=0", None);
        check("", None);
        check(";;;,,q=", None);
    }
}
