//! Long texts, and values in documents and in JSON.

use super::{Documents, LARGE, repeat};

/// Long texts with few tokens, and values in the document.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn texts() -> Documents {
    let room = LARGE - 200;
    vec![
        (
            "a long comment",
            format!("{{ t {{ id }} }} #{}", "x".repeat(room)),
        ),
        ("commas", format!("{{ t {{ id {} }} }}", ",".repeat(room))),
        (
            "a long name of an unknown field",
            format!("{{ t {{ {} }} }}", "n".repeat(room)),
        ),
        (
            "long names of 20 unknown fields",
            format!(
                "{{ t {{ {} }} }}",
                repeat(20, |n| format!("{}{n} ", "n".repeat(12_000)))
            ),
        ),
        (
            "a long alias over 5,000 rows",
            format!("{{ rows {{ {}:id }} }}", "n".repeat(room)),
        ),
        (
            "a long string",
            format!("{{ find(text:\"{}\") {{ id }} }}", "x".repeat(room)),
        ),
        (
            "a string of escapes",
            format!(
                "{{ find(text:\"{}\") {{ id }} }}",
                "\\u0041".repeat(room / 7)
            ),
        ),
        (
            "a block string of short lines",
            format!(
                "{{ find(text:\"\"\"{}\"\"\") {{ id }} }}",
                " \n".repeat(room / 3)
            ),
        ),
        (
            "lists nested 190 deep in the document",
            format!(
                "{{ find(any:{}1{}) {{ id }} }}",
                "[".repeat(190),
                "]".repeat(190)
            ),
        ),
        (
            "lists nested 2,400 deep in the document",
            format!(
                "{{ find(any:{}1{}) {{ id }} }}",
                "[".repeat(2_400),
                "]".repeat(2_400)
            ),
        ),
        (
            "braces nested 2,400 deep",
            format!("{}{}", "{a".repeat(2_400), "}".repeat(2_400)),
        ),
        (
            "a list of 4,900 in the document",
            format!("{{ find(ids:[{}]) {{ id }} }}", "1 ".repeat(4_900)),
        ),
        (
            "a wrong list of 4,900 in the document",
            format!("{{ find(ids:[{}]) {{ id }} }}", "\"\" ".repeat(4_900)),
        ),
        (
            "an object of 1,600 equal members",
            format!("{{ find(any:{{{}}}) {{ id }} }}", "a:1 ".repeat(1_600)),
        ),
        (
            "an object of 1,600 members",
            format!(
                "{{ find(any:{{{}}}) {{ id }} }}",
                repeat(1_600, |n| format!("a{n}:1 "))
            ),
        ),
        (
            "a default of 250 kB",
            format!(
                "query($v:String=\"{}\") {{ find(text:$v) {{ id }} }}",
                "x".repeat(room)
            ),
        ),
        (
            "a default list of 4,900",
            format!(
                "query($v:[Int]=[{}]) {{ find(ids:$v) {{ id }} }}",
                "1 ".repeat(4_900)
            ),
        ),
        (
            "unused variables, 1,200",
            format!(
                "query({}) {{ t {{ id }} }}",
                repeat(1_200, |n| format!("$v{n}:Int "))
            ),
        ),
        (
            "undefined variables, 500",
            format!(
                "{{ t {{ {} }} }}",
                repeat(500, |n| format!("a{n}:a(n:$v{n})"))
            ),
        ),
        ("variables, 350 used", {
            let variables = repeat(350, |n| format!("$v{n}:Int "));
            let fields = repeat(350, |n| format!("a{n}:a(n:$v{n}) "));
            format!("query({variables}) {{ t {{ {fields} }} }}")
        }),
        ("not GraphQL", "{".repeat(room)),
        ("not GraphQL, one token", "\u{1}".repeat(room / 7)),
    ]
}

/// Documents with JSON of variables.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn values() -> Vec<(&'static str, &'static str, String)> {
    let nested = |open: &str, inner: &str, close: &str, count: usize| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    let list = |item: &str| {
        let count = (LARGE - 200) / (item.len() + 1);
        format!("[{}]", vec![item; count].join(","))
    };
    let ids = "query($v:[Int]){find(ids:$v){id}}";
    let filter = "query($v:Filter){find(filter:$v){id}}";
    let filters = "query($v:[Filter]){find(filters:$v){id}}";
    let any = "query($v:Any){find(any:$v){id}}";
    let text = "query($v:String){find(text:$v){id}}";
    let of = |value: &str| format!("{{\"v\":{value}}}");
    let keys = repeat(18_000, |n| format!("\"k{n}\":1,")) + "\"v\":1";
    vec![
        ("a list of 130,000 numbers", ids, of(&list("1"))),
        (
            "a list of 65,000 strings for numbers",
            ids,
            of(&list("\"\"")),
        ),
        ("a list of 85,000 objects", filters, of(&list("{}"))),
        (
            "a list of 28,000 wrong objects",
            filters,
            of(&list("{\"x\":1}")),
        ),
        (
            "input objects nested 20 deep",
            filter,
            of(&nested("{\"not\":", "{}", "}", 20)),
        ),
        (
            "input objects nested 32,000 deep",
            filter,
            of(&nested("{\"not\":", "{}", "}", 32_000)),
        ),
        (
            "lists of input objects nested 100 deep",
            filter,
            of(&nested("{\"and\":[", "{}", "]}", 60)),
        ),
        (
            "lists nested 120 deep",
            any,
            of(&nested("[", "1", "]", 120)),
        ),
        (
            "lists nested 127,000 deep",
            any,
            of(&nested("[", "1", "]", 127_000)),
        ),
        (
            "a string of 250 kB",
            text,
            of(&format!("\"{}\"", "x".repeat(LARGE - 200))),
        ),
        (
            "a string of escapes, 250 kB",
            text,
            of(&format!("\"{}\"", "\\u0041".repeat((LARGE - 200) / 6))),
        ),
        (
            "a number of 250,000 digits",
            any,
            of(&"1".repeat(LARGE - 200)),
        ),
        (
            "a number of 250,000 digits for an ID",
            "query($v:ID){node(id:$v){id}}",
            of(&"1".repeat(LARGE - 200)),
        ),
        ("unknown variables, 18,000", ids, format!("{{{keys}}}")),
        (
            "an object of 18,000 unknown members",
            filter,
            of(&format!("{{{keys}}}")),
        ),
        (
            "an object of 40,000 equal members",
            filter,
            of(&format!("{{{}\"n\":1}}", "\"n\":1,".repeat(40_000))),
        ),
    ]
}
