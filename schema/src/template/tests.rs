//! Tests of templates, URLs and forms.

use bytes::Bytes;

use super::url::{UrlError, UrlPart, UrlTemplate};
use super::*;
use crate::json::Json;

const ARGS: &str = r#"{"id":"a b/c","n":5,"f":1.50,"b":true,"nul":null,"list":[1,null,"x y"],"o":{"k":"v"},
    "u":"é&=?#%","dot":".","dots":"..","host":"evil.example/","e":""}"#;

fn args() -> Json {
    Json::parse(Bytes::from_static(ARGS.as_bytes())).unwrap()
}

fn template(text: &str) -> Template {
    Template::parse(text, Version::V0_3).unwrap()
}

fn rendered(text: &str, plain: bool) -> Result<String, String> {
    let (template, args) = (template(text), args());
    let vars = Vars::new().with("args", Value::from(&args));
    let rendered = if plain {
        template.render_plain(&vars)
    } else {
        template.render_uri(&vars)
    };
    rendered
        .map(|it| it.text)
        .map_err(|error| error.to_string())
}

#[test]
fn values_are_encoded_and_constant_text_keeps_reserved_characters() {
    let table = [
        ("/users", "/users"),
        ("/u/{$args.id}", "/u/a%20b%2Fc"),
        ("/u?q={$args.u}", "/u?q=%C3%A9%26%3D%3F%23%25"),
        (
            "/{$args.n}/{$args.f}/{$args.b}/{$args.nul}",
            "/5/1.50/true/",
        ),
        ("/u/{$args.nope}/x", "/u//x"),
        ("/a%20b c{''}", "/a%20b%20c"),
        ("/a:b@c!$&'()*+,;=[]?#é", "/a:b@c!$&'()*+,;=[]?#%C3%A9"),
        ("/a\n\t/b\r\x0c", "/a/b"),
        ("/u/}", "/u/%7D"),
        ("/u/{}/x", "/u//x"),
        ("/{$({ a: 'z' }).a}/{$('{}')}", "/z/%7B%7D"),
        ("{$args.list->joinNotNull(',')}", "1%2Cx%20y"),
    ];
    for (text, expected) in table {
        assert_eq!(rendered(text, false).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn plain_rendering_encodes_nothing() {
    assert_eq!(
        rendered("Bearer {$args.u} é", true).as_deref(),
        Ok("Bearer é&=?#% é")
    );
    assert_eq!(rendered("", true).as_deref(), Ok(""));
}

#[test]
fn lists_and_objects_cannot_be_rendered() {
    let error = "a template expression must evaluate to a scalar, found a list";
    assert_eq!(rendered("/{$args.list}", false), Err(error.to_owned()));
    let error = "a template expression must evaluate to a scalar, found an object";
    assert_eq!(rendered("/{$args.o}", true), Err(error.to_owned()));
}

#[test]
fn errors_point_into_the_template() {
    let error = |text: &str| {
        let error = Template::parse(text, Version::V0_3).unwrap_err();
        (
            error.message,
            text.get(error.range).unwrap_or("nothing").to_owned(),
            error.help,
        )
    };

    let (message, about, help) = error("/u/{$args.id");
    assert_eq!(
        (message.as_str(), about.as_str()),
        ("unclosed expression", "{$args.id")
    );
    assert_eq!(
        help.as_deref(),
        Some("close it with `}`; braces in quotes count too")
    );
    let (message, about, _) = error("/é/{$args.}/x");
    assert_eq!(message, "expected a key after `.`, found the end");
    assert_eq!(about, "");
    let (message, about, _) = error("/x/{$('{')}");
    assert_eq!(
        (message.as_str(), about.as_str()),
        ("unclosed expression", "{$('{')}")
    );
    let (message, about, _) = error("/x/{$('}')}");
    assert_eq!((message.as_str(), about.as_str()), ("unclosed string", "'"));
}

#[test]
fn variables_are_listed_with_their_ranges() {
    let text = "/é/{$args.id}?{$this.a { b }}";
    let uses = template(text).variables();

    let at = |range: &Range<usize>| text.get(range.clone()).unwrap();
    assert_eq!([at(&uses[0].range), at(&uses[1].range)], ["$args", "$this"]);
    assert_eq!(at(&uses[0].fields[0].range), "id");
    assert_eq!(at(&uses[1].fields[0].fields[0].range), "b");
    assert!(template("/x").is_constant());
    assert_eq!(rendered("/{$args.id}", true).as_deref(), Ok("/a b/c"));
    assert_eq!(Template::constant("/{x}").variables(), []);
}

/// Joins the columns of a row: URL, path and query of the source, then of the connector. Empty
/// columns are omitted parts.
fn joined(row: &str) -> Result<String, UrlError> {
    joined_with_args(row, &args())
}

/// Joins the columns of a row with a value of `$args.value`.
fn joined_with(row: &str, value: &str) -> Result<String, UrlError> {
    let value = Value::string(value).to_json();
    let args = format!("{{\"value\":{value},\"n\":5}}");
    joined_with_args(row, &Json::parse(Bytes::from(args)).unwrap())
}

fn joined_with_args(row: &str, args: &Json) -> Result<String, UrlError> {
    let mut columns = row.split('~').map(str::trim);
    let parts: [&str; 6] = std::array::from_fn(|_| columns.next().unwrap_or_default());
    let mapping = |text: &str| {
        let mapping = || Mapping::parse(text, Version::V0_3).unwrap();
        (!text.is_empty()).then(mapping)
    };
    let urls = [parts[0], parts[3]].map(template);
    let mappings = [parts[1], parts[2], parts[4], parts[5]].map(mapping);
    let part = |at: usize| UrlPart {
        url: &urls[at],
        path: mappings[2 * at].as_ref(),
        query: mappings[2 * at + 1].as_ref(),
    };
    let address = UrlTemplate {
        source: (!parts[0].is_empty()).then(|| part(0)),
        connect: part(1),
    };
    let vars = Vars::new().with("args", Value::from(args));
    address.join(&vars).map(|joined| joined.url.into())
}

/// Checks rows against the URL or error message after `=>`.
#[track_caller]
fn check_joined(table: &str) {
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (row, expected) = line.split_once("=>").unwrap();
        let actual = joined(row).unwrap_or_else(|error| error.to_string());
        assert_eq!(actual, expected.trim(), "{row}");
    }
}

#[test]
fn paths_and_queries_of_both_parts_are_joined() {
    check_joined(
        "
        https://h.example/api ~~~ users => https://h.example/api/users
        https://h.example/api ~~~ /users/ => https://h.example/api/users/
        https://h.example/api/ ~~~ /users => https://h.example/api/users
        https://h.example ~~~ /users => https://h.example/users
        https://h.example/api ~~~ / => https://h.example/api
        https://h.example/api ~~~ => https://h.example/api
        https://h.example/api#a ~~~ /u#b => https://h.example/api/u
        https://h.example/api ~~~ ?b=2 => https://h.example/api?b=2
        https://h.example?a=1 ~~~ ?b=2 => https://h.example/?a=1&b=2
        https://h.example/api?a=1 ~~~ /u?b=2 => https://h.example/api/u?a=1&b=2
        https://h.example/api ~~~ /u?x={$args.u} => https://h.example/api/u?x=%C3%A9%26%3D%3F%23%25
        ~~~ https://x.example => https://x.example/
        ~~~ http://{$args.n}.x.example:81/p?q={$args.n} => http://5.x.example:81/p?q=5
        ",
    );
}

#[test]
fn path_and_query_params_are_added() {
    check_joined(
        "
        https://h.example?a=1 ~ $(['v1']) ~ s: $(1) ~ /u?b=2 ~ $(['x', $args.n]) ~ c: $(3) => https://h.example/v1/u/x/5?a=1&s=1&b=2&c=3
        https://h.example ~~~ /u ~ $(['x', null]) => https://h.example/u/x/
        https://h.example ~~~ /u ~ $([null, $args.id]) => https://h.example/u/a%20b%2Fc
        https://h.example ~~~ /u ~ $([]) => https://h.example/u
        https://h.example ~~~ /u ~~ n: $args.n nul: $args.nul no: $args.nope => https://h.example/u?n=5
        https://h.example ~~~ /u ~~ 'l[]': $args.list => https://h.example/u?l%5B%5D=1&l%5B%5D=&l%5B%5D=x%20y
        https://h.example ~~~ /u ~~ $args.o => https://h.example/u?k=v
        https://h.example ~~~ /u ~~ $args.nope => https://h.example/u
        https://h.example ~~~ /u ~~ $args.nul => https://h.example/u
        ",
    );
}

#[test]
fn an_invalid_url_is_an_error_with_its_cause() {
    check_joined(
        "
        https://h.example ~~~ /u ~ $args.n => `path` must evaluate to a list, found a number
        https://h.example ~~~ /u ~ $args.nope => `path` must evaluate to a list, found null
        https://h.example ~~~ /u ~ $([[1]]) => a segment of `path` must be a scalar, found a list
        https://h.example ~~~ /u ~~ $args.n => `queryParams` must evaluate to an object, found a number
        https://h.example ~~~ /u ~~ o: $args.o => `o` in `queryParams` must be a scalar or a list of scalars, found an object
        https://h.example ~~~ /u ~~ l: $([[1]]) => `l` in `queryParams` must be a scalar or a list of scalars, found a list
        https://h.example ~~~ /{$args.o} => a template expression must evaluate to a scalar, found an object
        ~~~ /u => `/u` is not a URL: relative URL without a base
        ~~~ ftp://h.example/u => `ftp://h.example/u` is not a URL: the scheme is neither http nor https
        ",
    );
}

#[test]
fn values_cannot_change_the_path_or_the_host() {
    check_joined(
        "
        https://h.example ~~~ /u/{$args.dots}/x => the expression `{$args.dots}` renders to the path segment `.` or `..`
        https://h.example ~~~ /u/{$args.dot} => the expression `{$args.dot}` renders to the path segment `.` or `..`
        https://h.example ~~~ {$args.dot}{$args.dot} => the expression `{$args.dot}` renders to the path segment `.` or `..`
        https://h.example ~~~ /%2e{$args.dot}/ => the expression `{$args.dot}` renders to the path segment `.` or `..`
        https://h.example ~~~ /u/.{$args.e}{$args.dot} => the expression `{$args.dot}` renders to the path segment `.` or `..`
        https://h.example/{$args.dots} ~~~ /u => the expression `{$args.dots}` renders to the path segment `.` or `..`
        https://h.example ~~~ /u ~ $([$args.dots]) => element 1 of `path` renders to the path segment `.` or `..`
        https://h.example ~~~ /u ~ $(['x', '.']) => element 2 of `path` renders to the path segment `.` or `..`
        https://h.example/api ~~~ /v/../u => https://h.example/api/u
        https://h.example ~~~ /v/./u/{$args.n} => https://h.example/v/u/5
        https://h.example ~~~ /u?x={$args.dots} => https://h.example/u?x=..
        https://{$args.host}.h.example ~~~ /u => `https://evil.example%2F.h.example/u` is not a URL: invalid international domain name
        ",
    );
}

#[test]
fn dot_segments_that_only_some_servers_see_are_refused() {
    let values = [
        "../x",
        "x/../y",
        "x\\..",
        "..\\x",
        "%2e%2e",
        "%2E.",
        "..%2fx",
        "%252e%252e",
        "..;",
        "..;a=b/x",
        "./x",
    ];
    let names = [
        "v1.2", "...", ".hidden", "a..b", "..a", "2e", "a%2eb", "x.;",
    ];
    let row = "https://h.example ~~~ /u/{$args.value}/y";
    for value in values {
        assert!(
            matches!(joined_with(row, value), Err(UrlError::DotSegment(_))),
            "{value}"
        );
    }
    for value in names {
        assert!(joined_with(row, value).is_ok(), "{value}");
    }
}

#[test]
fn values_cannot_empty_a_path_segment() {
    check_joined(
        "
        https://h.example ~~~ /x/{$args.e}/tail => the expression `{$args.e}` renders to an empty path segment
        https://h.example ~~~ /x/{$args.nul} => the expression `{$args.nul}` renders to an empty path segment
        https://h.example ~~~ /x/{$args.nope}?a=1 => the expression `{$args.nope}` renders to an empty path segment
        https://h.example ~~~ /x/{$args.e}{$args.nope}#a => the expression `{$args.nope}` renders to an empty path segment
        https://h.example ~~~ {$args.e} => the expression `{$args.e}` renders to an empty path segment
        https://h.example/{$args.e} ~~~ /u => the expression `{$args.e}` renders to an empty path segment
        https://h.example ~~~ /u ~ $(['x', $args.e]) => element 2 of `path` renders to an empty path segment
        https://h.example ~~~ /u ~ $([$args.nul, 'x']) => element 1 of `path` renders to an empty path segment
        https://h.example ~~~ /u ~ $args.list => element 2 of `path` renders to an empty path segment
        https://h.example ~~~ /x{$args.e}/tail => https://h.example/x/tail
        https://h.example ~~~ /x//{$args.n}/ => https://h.example/x//5/
        https://h.example ~~~ /x?a={$args.e}&b=/{$args.e}/ => https://h.example/x?a=&b=//
        https://h.example ~~~ /u ~ $([$args.n, '']) => https://h.example/u/5/
        ~~~ https://{$args.n}.x.example/{$args.e}/y => the expression `{$args.e}` renders to an empty path segment
        ",
    );
}

#[test]
fn forms_nest_with_brackets() {
    let form = |text: &'static str| {
        let json = Json::parse(Bytes::from_static(text.as_bytes())).unwrap();
        form::encode(&Value::from(&json)).map_err(|error| error.to_string())
    };
    let table = [
        ("{}", ""),
        (
            r#"{"a":1,"b":true,"c":null,"d":"x y&é"}"#,
            "a=1&b=true&c=&d=x+y%26%C3%A9",
        ),
        (
            r#"{"a":{"b":{"c":1}},"l":[1,{"k":2}]}"#,
            "a%5Bb%5D%5Bc%5D=1&l%5B0%5D=1&l%5B1%5D%5Bk%5D=2",
        ),
        (r#"{"a":[],"b":{},"c":2.0}"#, "c=2.0"),
    ];
    for (text, expected) in table {
        assert_eq!(form(text).as_deref(), Ok(expected), "{text}");
    }
    assert_eq!(
        form("[1]"),
        Err("a form body must be an object, found a list".to_owned())
    );
}
