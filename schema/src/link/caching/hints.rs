//! TTL and scope: `@cacheControl`, and the `maxAge` of `@openfed__entityCache` and
//! `@openfed__queryCache`.

use apollo_compiler::Node;
use apollo_compiler::ast::Value;

use super::{Reader, ResolvedDirective, argument};
use crate::caching::{CacheHint, CacheScope};
use crate::diagnostic::{Code, Diagnostic};

/// Reads `@cacheControl`.
pub(super) fn read_cache_control(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>) {
    let max_age = argument(resolved, "maxAge");
    let scope = argument(resolved, "scope");
    let inherits = argument(resolved, "inheritMaxAge").and_then(|it| it.to_bool()) == Some(true);
    if let (true, Some(max_age)) = (inherits, max_age) {
        let message = "`inheritMaxAge: true` and `maxAge` contradict each other";
        let span = reader.span(max_age.location());
        let problem = Diagnostic::error(Code::CacheControlInvalid, span, message);
        let help = "remove one of them".to_owned();
        reader.problems.push(problem.help(Some(help)));
        return;
    }
    let hint = CacheHint {
        max_age: max_age.and_then(|it| seconds(reader, it)),
        scope: scope.and_then(|it| self::scope(reader, it)),
        inherits_max_age: inherits,
    };
    let known = *hint_mut(reader, resolved);
    let known = known.filter(|_| !inherits).unwrap_or_default();
    set_hint(reader, resolved, hint.with_fallback(known));
}

/// Reads `@openfed__entityCache` or `@openfed__queryCache`; `@cacheControl` has precedence.
pub(super) fn read_openfed_max_age(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>) {
    for (name, why) in UNSUPPORTED_ARGUMENTS {
        if let Some(value) = argument(resolved, name)
            && value.to_bool() != Some(false)
            && value.to_i32() != Some(0)
        {
            let message = format!("`{name}` is not used: {why}");
            let span = reader.span(value.location());
            let problem = Diagnostic::warning(Code::CacheDirectiveNotUsed, span, message);
            reader.problems.push(problem);
        }
    }
    let max_age = argument(resolved, "maxAge").and_then(|it| seconds(reader, it));
    let known = (*hint_mut(reader, resolved)).unwrap_or_default();
    let max_age = max_age.filter(|_| !known.inherits_max_age);
    set_hint(
        reader,
        resolved,
        known.with_fallback(CacheHint {
            max_age,
            ..CacheHint::default()
        }),
    );
}

/// Arguments of another gateway's directives that Weir ignores, and why.
const UNSUPPORTED_ARGUMENTS: [(&str, &str); 4] = [
    (
        "negativeCacheTTL",
        "the TTL of missing entities is set in the configuration",
    ),
    (
        "includeHeaders",
        "the headers that identify a caller are set in the configuration",
    ),
    (
        "partialCacheLoad",
        "cached entities are never requested, missing entities always are",
    ),
    ("shadowMode", "cached values are always served"),
];

fn hint_mut<'r>(
    reader: &'r mut Reader<'_>,
    resolved: ResolvedDirective<'_>,
) -> &'r mut Option<CacheHint> {
    match resolved.field {
        Some(field) => &mut reader.field_directives(resolved.owner, field).hint,
        None => &mut reader.type_directives(resolved.owner).hint,
    }
}

fn set_hint(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>, hint: CacheHint) {
    *hint_mut(reader, resolved) = (hint != CacheHint::default()).then_some(hint);
}

fn seconds(reader: &mut Reader<'_>, value: &Node<Value>) -> Option<u32> {
    let seconds = value.to_i32().and_then(|it| u32::try_from(it).ok());
    if seconds.is_none() {
        let message = "`maxAge` must be a whole number of seconds, 0 or more";
        let span = reader.span(value.location());
        let problem = Diagnostic::error(Code::CacheControlInvalid, span, message);
        let help = "write `maxAge: 0` for data that must not be cached".to_owned();
        reader.problems.push(problem.help(Some(help)));
    }
    seconds
}

fn scope(reader: &mut Reader<'_>, value: &Node<Value>) -> Option<CacheScope> {
    let name = value.as_enum().map(apollo_compiler::Name::as_str);
    match name.or_else(|| value.as_str()) {
        Some("PUBLIC") => Some(CacheScope::Public),
        Some("PRIVATE") => Some(CacheScope::Private),
        _ => {
            let message = format!("`{value}` is not a cache scope");
            let span = reader.span(value.location());
            let problem = Diagnostic::error(Code::CacheControlInvalid, span, message);
            let help = "write `PUBLIC` or `PRIVATE`".to_owned();
            reader.problems.push(problem.help(Some(help)));
            None
        }
    }
}
