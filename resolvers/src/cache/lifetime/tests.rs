//! Lifetimes: headers in, reuse out.

use std::time::UNIX_EPOCH;

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_700_000_000;

const POLICY: LifetimePolicy = LifetimePolicy {
    default: Duration::from_secs(5),
    max: Duration::from_hours(1),
    stale: Duration::from_secs(7),
    stale_if_error: Duration::from_secs(9),
    negative: Duration::from_secs(2),
    declared_age: None,
    declared_scope: None,
};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn headers_give_lifetimes() {
    let day = "Tue, 14 Nov 2023 22:13:20 GMT";
    let later = "Tue, 14 Nov 2023 22:14:20 GMT";
    for (headers, expected) in [
        (vec![], "shared 5 7 9"),
        (vec![("cache-control", "max-age=60")], "shared 60 7 9"),
        (vec![("cache-control", "Max-Age = 60")], "shared 60 7 9"),
        (vec![("cache-control", "max-age=\"60\"")], "shared 60 7 9"),
        (
            vec![("cache-control", "max-age=60, s-maxage=30")],
            "shared 30 0 0",
        ),
        (
            vec![("cache-control", "max-age=60, foo=\"a, no-store\", bar")],
            "shared 60 7 9",
        ),
        (
            vec![("cache-control", "max-age=60, foo=\"a, no-store")],
            "never",
        ),
        (
            vec![
                ("cache-control", "max-age=60"),
                ("cache-control", "private"),
            ],
            "caller 60 7 9",
        ),
        (
            vec![("cache-control", "private=\"x\", max-age=60")],
            "caller 60 7 9",
        ),
        (
            vec![("cache-control", "max-age=60, max-age=40")],
            "shared 40 7 9",
        ),
        (
            vec![("cache-control", "max-age=99999999999999999999999")],
            "shared 3600 7 9",
        ),
        (vec![("cache-control", "max-age=1.5")], "never"),
        (vec![("cache-control", "max-age=-1")], "never"),
        (vec![("cache-control", "max-age")], "never"),
        (vec![("cache-control", "max-age=60,no-store")], "never"),
        (vec![("cache-control", ",,;=,\"\",no-cache")], "never"),
        (
            vec![("cache-control", "no-cache=\"set-cookie\", max-age=60")],
            "shared 60 7 9",
        ),
        (
            vec![(
                "cache-control",
                "max-age=60, must-revalidate, stale-if-error=5",
            )],
            "shared 60 0 0",
        ),
        (
            vec![(
                "cache-control",
                "s-maxage=60, stale-while-revalidate=3, stale-if-error=4",
            )],
            "shared 60 3 4",
        ),
        (
            vec![("cache-control", "max-age=0, stale-while-revalidate=3")],
            "shared 0 3 0",
        ),
        (
            vec![("cache-control", "max-age=60"), ("age", "50")],
            "shared 10 7 9",
        ),
        (
            vec![("cache-control", "max-age=60"), ("age", "63")],
            "shared 0 4 6",
        ),
        (
            vec![("cache-control", "max-age=60"), ("age", "100")],
            "never",
        ),
        (
            vec![("cache-control", "max-age=60"), ("age", "soon")],
            "shared 60 7 9",
        ),
        (vec![("expires", later), ("date", day)], "shared 60 7 9"),
        (
            vec![("expires", later), ("cache-control", "max-age=20")],
            "shared 20 7 9",
        ),
        (vec![("expires", day), ("date", later)], "never"),
        (vec![("expires", "0")], "never"),
        (
            vec![("vary", "accept-encoding"), ("cache-control", "max-age=1")],
            "shared 1 7 9",
        ),
        (vec![("vary", "Accept-Encoding, *")], "never"),
        (vec![("vary", "X-Tenant")], "caller 5 7 9"),
    ] {
        assert_eq!(
            reuse_text(reuse_from_headers(&POLICY, &headers)),
            expected,
            "{headers:?}"
        );
    }
}

#[test]
fn a_date_in_the_past_adds_to_the_age_of_a_response() {
    let headers = [
        ("cache-control", "max-age=100"),
        ("date", "Tue, 14 Nov 2023 22:12:50 GMT"),
    ];
    assert_eq!(
        reuse_text(reuse_from_headers(&POLICY, &headers)),
        "shared 70 7 9"
    );
}

#[test]
fn the_graph_lowers_the_lifetime_of_a_source_and_never_raises_it() {
    let declared = |seconds| LifetimePolicy {
        declared_age: Some(Duration::from_secs(seconds)),
        ..POLICY
    };
    let max_age = [("cache-control", "max-age=60")];
    assert_eq!(
        reuse_text(reuse_from_headers(&declared(10), &max_age)),
        "shared 10 7 9"
    );
    assert_eq!(
        reuse_text(reuse_from_headers(&declared(90), &max_age)),
        "shared 60 7 9"
    );
    assert_eq!(
        reuse_text(reuse_from_headers(&declared(90), &[])),
        "shared 90 7 9"
    );
    assert_eq!(
        reuse_text(reuse_from_headers(&declared(0), &max_age)),
        "never"
    );
    let forbids = [("cache-control", "no-store")];
    assert_eq!(
        reuse_text(reuse_from_headers(&declared(90), &forbids)),
        "never"
    );
}

#[test]
fn private_wins_over_public() {
    let policy = |scope| LifetimePolicy {
        declared_scope: Some(scope),
        ..POLICY
    };
    let private = [("cache-control", "private, max-age=60")];
    let public = [("cache-control", "public, max-age=60")];
    assert_eq!(
        reuse_text(reuse_from_headers(&policy(Scope::Public), &private)),
        "caller 60 7 9"
    );
    assert_eq!(
        reuse_text(reuse_from_headers(&policy(Scope::Private), &public)),
        "caller 60 7 9"
    );
}

#[test]
fn a_response_to_credentials_is_shared_only_when_it_allows_sharing() {
    for (headers, expected) in [
        (vec![("cache-control", "max-age=60")], "caller 60 7 9"),
        (vec![], "caller 5 7 9"),
        (
            vec![("cache-control", "public, max-age=60")],
            "shared 60 7 9",
        ),
        (vec![("cache-control", "s-maxage=60")], "shared 60 0 0"),
        (
            vec![("cache-control", "max-age=60, must-revalidate")],
            "shared 60 0 0",
        ),
    ] {
        let map = map(&headers);
        let answer = ResponseMetadata {
            credentials: Credentials::Sent,
            ..response(&map)
        };
        assert_eq!(reuse_text(reuse(&POLICY, &answer)), expected, "{headers:?}");
    }
}

#[test]
fn an_anonymous_response_is_shared_only_where_it_says_so() {
    for (headers, expected) in [
        (vec![], "caller 5 7 9"),
        (vec![("cache-control", "max-age=60")], "caller 60 7 9"),
        (vec![("cache-control", "public")], "shared 5 7 9"),
    ] {
        let map = map(&headers);
        let answer = ResponseMetadata {
            credentials: Credentials::Absent,
            ..response(&map)
        };
        assert_eq!(reuse_text(reuse(&POLICY, &answer)), expected, "{headers:?}");
    }
}

#[test]
fn an_error_status_needs_an_explicit_lifetime() {
    let explicit = [("cache-control", "max-age=60")];
    for (status, headers, expected) in [
        (404, &[][..], "shared 5 7 9"),
        (429, &[], "never"),
        (500, &[], "never"),
        (503, &[], "never"),
        (503, &explicit, "shared 60 7 9"),
    ] {
        let map = map(headers);
        let answer = ResponseMetadata {
            status: StatusCode::from_u16(status).unwrap(),
            ..response(&map)
        };
        assert_eq!(reuse_text(reuse(&POLICY, &answer)), expected, "{status}");
    }
}

#[test]
fn negative_responses_have_a_short_lifetime() {
    for (headers, expected) in [
        (vec![], "shared 2 0 0"),
        (vec![("cache-control", "max-age=60")], "shared 2 0 0"),
        (vec![("cache-control", "max-age=1")], "shared 1 0 0"),
        (vec![("cache-control", "no-store")], "never"),
    ] {
        let map = map(&headers);
        assert_eq!(
            reuse_text(negative_reuse(&POLICY, &response(&map))),
            expected
        );
    }
    // Nothing is cached unless the response, the graph or the policy allows it.
    let silent = LifetimePolicy {
        default: Duration::ZERO,
        ..POLICY
    };
    let map = HeaderMap::new();
    assert_eq!(
        reuse_text(negative_reuse(&silent, &response(&map))),
        "never"
    );
}

#[test]
fn combined_reuse_is_the_shortest_and_most_private() {
    let lifetime = |fresh, stale| Lifetime {
        fresh: Duration::from_secs(fresh),
        stale: Duration::from_secs(stale),
        stale_if_error: Duration::ZERO,
    };
    let shared = Reuse::Shared(lifetime(60, 10));
    let private = Reuse::PerCaller(lifetime(90, 0));
    assert_eq!(
        shared.cache_control(),
        "max-age=60, public, stale-while-revalidate=10"
    );
    assert_eq!(shared.and(private).cache_control(), "max-age=60, private");
    assert_eq!(private.and(shared), shared.and(private));
    assert_eq!(shared.and(Reuse::Never).cache_control(), "no-store");
    let later = shared.after(Duration::from_secs(65));
    assert_eq!(
        later.cache_control(),
        "max-age=0, public, stale-while-revalidate=5"
    );
}

proptest! {
    #[test]
    fn no_header_breaks_the_parser_or_exceeds_the_bounds(
        lines in prop::collection::vec("[ -~]{0,40}", 0..4),
        age in "[ -~]{0,20}",
    ) {
        let mut headers: Vec<(&str, &str)> =
            lines.iter().map(|line| ("cache-control", line.as_str())).collect();
        headers.push(("age", &age));
        match reuse_from_headers(&POLICY, &headers) {
            Reuse::Never => {}
            Reuse::Shared(lifetime) | Reuse::PerCaller(lifetime) => {
                prop_assert!(lifetime.fresh <= POLICY.max);
                prop_assert!(lifetime.total() <= POLICY.max * 2);
            }
        }
    }

    #[test]
    fn no_store_is_found_among_any_unquoted_directives(
        before in "[a-z0-9=, ]{0,30}", after in "[ -~]{0,30}"
    ) {
        let line = format!("{before},no-store,{after}");
        prop_assert_eq!(reuse_from_headers(&POLICY, &[("cache-control", &line)]), Reuse::Never);
    }
}

fn reuse_from_headers(policy: &LifetimePolicy, headers: &[(&str, &str)]) -> Reuse {
    reuse(policy, &response(&map(headers)))
}

fn response(headers: &HeaderMap) -> ResponseMetadata<'_> {
    static UNKEYED: [HeaderName; 1] = [HeaderName::from_static("x-tenant")];
    ResponseMetadata {
        headers,
        received: UNIX_EPOCH + Duration::from_secs(NOW),
        delay: Duration::ZERO,
        status: StatusCode::OK,
        credentials: Credentials::NotForwarded,
        caller_headers: &UNKEYED,
    }
}

fn map(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn reuse_text(reuse: Reuse) -> String {
    let write = |scope: &str, lifetime: Lifetime| {
        let Lifetime {
            fresh,
            stale,
            stale_if_error: on_error,
        } = lifetime;
        format!(
            "{scope} {} {} {}",
            fresh.as_secs(),
            stale.as_secs(),
            on_error.as_secs()
        )
    };
    match reuse {
        Reuse::Never => "never".to_owned(),
        Reuse::Shared(lifetime) => write("shared", lifetime),
        Reuse::PerCaller(lifetime) => write("caller", lifetime),
    }
}
