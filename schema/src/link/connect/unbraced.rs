//! Variables outside of expressions: in constant text of a template and in quotes of a mapping they
//! are sent as they are written.
//!
//! Only names of variables that are followed by a member or method count, so that a price (`$5`) or
//! a parameter (`?$filter=`) or method (`/$batch`) of some APIs does not.

use std::ops::Range;

use crate::mapping::VARIABLES;

/// The ranges of variables in `text`, with the members that are read.
pub(super) fn variables(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('$')) {
        let start = at + found;
        at = start + 1;
        if let Some(len) = text.get(at..).and_then(path_len) {
            at += len;
            ranges.push(start..at);
        }
    }
    ranges
}

/// The length of the path at the start of `text`, if it starts with the name of a variable.
fn path_len(text: &str) -> Option<usize> {
    let name = name_len(text);
    if !text
        .get(..name)
        .is_some_and(|name| VARIABLES.contains(&name))
    {
        return None;
    }
    // The rest may be text: `$config.tenant.example.com`.
    let is_flat = matches!(text.get(..name), Some("config" | "env"));
    let mut end = name;
    while let Some(step) = text.get(end..).and_then(step_len) {
        end += step;
        if is_flat {
            break;
        }
    }
    (end > name).then_some(end)
}

/// The length of `.key`, `->method` or `->method(…)` at the start of `text`.
fn step_len(text: &str) -> Option<usize> {
    let (prefix, is_method) = match text {
        _ if text.starts_with('.') => (1, false),
        _ if text.starts_with("->") => (2, true),
        _ => return None,
    };
    let name = name_len(text.get(prefix..)?);
    if name == 0 {
        return None;
    }
    let end = prefix + name;
    let arguments = text.get(end..)?;
    if is_method && arguments.starts_with('(') {
        return Some(end + arguments.find(')')? + 1);
    }
    Some(end)
}

fn name_len(text: &str) -> usize {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// The ranges of path segments such as `:id`, which other tools replace, in the path of a URL.
pub(super) fn route_parameters(url: &str) -> Vec<Range<usize>> {
    let path = url.find(['?', '#']).unwrap_or(url.len());
    let mut ranges = Vec::new();
    let mut start = 0;
    for segment in url.get(..path).unwrap_or(url).split('/') {
        let name = segment.strip_prefix(':').unwrap_or_default();
        if !name.is_empty() && name_len(name) == name.len() {
            ranges.push(start..start + segment.len());
        }
        start += segment.len() + 1;
    }
    ranges
}

/// The expression that `${args.id}`, as other tools write it, stands for; `at` is after its brace.
pub(super) fn dollar_outside(text: &str, at: usize, variables: &[&str]) -> Option<String> {
    let rest = text.get(at..)?;
    let is_variable = variables.contains(&rest.get(..name_len(rest))?);
    let is_outside = text.get(..at)?.ends_with("${");
    let (inside, _) = rest.split_once('}')?;
    (is_variable && is_outside).then(|| format!("{{${inside}}}"))
}

/// A mapping that produces `text` with the value of the variable at `range`.
pub(super) fn joined(text: &str, range: &Range<usize>) -> String {
    let part = |range: Range<usize>| text.get(range).unwrap_or_default();
    let (before, variable, after) = (
        part(0..range.start),
        part(range.clone()),
        part(range.end..text.len()),
    );
    let (before, after) = match (before.strip_suffix('{'), after.strip_prefix('}')) {
        (Some(before), Some(after)) => (before, after),
        _ => (before, after),
    };
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let parts: Vec<String> = [quoted(before), variable.to_owned(), quoted(after)]
        .into_iter()
        .filter(|part| part != "''")
        .collect();
    match parts.as_slice() {
        [only] => only.clone(),
        _ => format!("$([{}])->joinNotNull('')", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Mapping, Version};

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = variables(text)
            .into_iter()
            .filter_map(|it| text.get(it))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_variable_is_found_with_its_members_and_methods() {
        check("/users/$args.id", &["$args.id"]);
        check("/u/$this.a.b/v?x=$args.c", &["$this.a.b", "$args.c"]);
        check("Bearer $env.TOKEN", &["$env.TOKEN"]);
        check("http://$config.host.example.com", &["$config.host"]);
        check(
            "$args.ids->joinNotNull(',')/x",
            &["$args.ids->joinNotNull(',')"],
        );
        check("$request.headers.x->first", &["$request.headers.x->first"]);
    }

    #[test]
    fn other_text_with_a_dollar_is_no_variable() {
        check("$5.00 for $name, $$ and $", &[]);
        check("/Orders?$filter=a&$top=5", &[]);
        check("/$batch", &[]);
        check("/$metadata#x", &[]);
        check("$argsx.id $args. $args.5", &[]);
    }

    #[test]
    fn a_route_parameter_is_a_whole_segment() {
        let found = |url: &str| -> Vec<String> {
            let ranges = route_parameters(url).into_iter();
            ranges
                .filter_map(|it| url.get(it).map(str::to_owned))
                .collect()
        };
        assert_eq!(found("/users/:id/orders/:order_id"), [":id", ":order_id"]);
        assert_eq!(found("http://127.0.0.1:8080/users/:id?at=:id"), [":id"]);
        assert!(found("/v1/projects/x:cancel/a:b?t=:x").is_empty());
        assert!(found("/::1/:8080/:{$args.id}").is_empty());
    }

    #[test]
    fn joined_text_is_a_mapping() {
        for (text, expected) in [
            ("$args.a", "$args.a"),
            ("{$args.a}", "$args.a"),
            ("Hello $args.a", "$(['Hello ', $args.a])->joinNotNull('')"),
            (
                "it's {$args.a}!",
                r"$(['it\'s ', $args.a, '!'])->joinNotNull('')",
            ),
        ] {
            let range = variables(text).remove(0);
            let suggested = joined(text, &range);
            assert_eq!(suggested, expected);
            assert!(
                Mapping::parse(&suggested, Version::V0_1).is_ok(),
                "{suggested}"
            );
        }
    }
}
