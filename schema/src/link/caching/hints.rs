//! How long, and for whom: `@cacheControl`, and what `@openfed__entityCache` and
//! `@openfed__queryCache` say of it.

use apollo_compiler::Node;
use apollo_compiler::ast::Value;

use super::{Reader, ResolvedDirective, argument};
use crate::caching::{CacheHint, CacheScope};
use crate::diagnostic::{Code, Diagnostic};

/// `@cacheControl`.
pub(super) fn read_cache_control(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>) {
    let max_age = argument(resolved, "maxAge");
    let scope = argument(resolved, "scope");
    let inherits = argument(resolved, "inheritMaxAge").and_then(|it| it.to_bool()) == Some(true);
    if let (true, Some(max_age)) = (inherits, max_age) {
        let message = "`inheritMaxAge: true` and `maxAge` say two things of one lifetime";
        let at = reader.span(max_age.location());
        let problem = Diagnostic::error(Code::CacheControlInvalid, at, message);
        let help = "leave out one of them".to_owned();
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

/// `@openfed__entityCache` and `@openfed__queryCache`: behind `@cacheControl` where both are
/// written.
pub(super) fn read_openfed_max_age(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>) {
    for (name, why) in UNSUPPORTED_ARGUMENTS {
        if let Some(value) = argument(resolved, name)
            && value.to_bool() != Some(false)
            && value.to_i32() != Some(0)
        {
            let message = format!("`{name}` is not used: {why}");
            let at = reader.span(value.location());
            let problem = Diagnostic::warning(Code::CacheDirectiveNotUsed, at, message);
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

/// Arguments of another gateway's directives, with what Weir has instead.
const UNSUPPORTED_ARGUMENTS: [(&str, &str); 4] = [
    (
        "negativeCacheTTL",
        "how long a missing entity is remembered is said in the configuration",
    ),
    (
        "includeHeaders",
        "which headers tell callers apart is said in the configuration",
    ),
    (
        "partialCacheLoad",
        "the entities that are kept are never asked for again, those that are missing always",
    ),
    ("shadowMode", "what is kept is given out"),
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
        let at = reader.span(value.location());
        let problem = Diagnostic::error(Code::CacheControlInvalid, at, message);
        let help = "write `maxAge: 0` for what must not be kept".to_owned();
        reader.problems.push(problem.help(Some(help)));
    }
    seconds
}

fn scope(reader: &mut Reader<'_>, value: &Node<Value>) -> Option<CacheScope> {
    let written = value.as_enum().map(apollo_compiler::Name::as_str);
    match written.or_else(|| value.as_str()) {
        Some("PUBLIC") => Some(CacheScope::Public),
        Some("PRIVATE") => Some(CacheScope::Private),
        _ => {
            let message = format!("`{value}` is no scope");
            let at = reader.span(value.location());
            let problem = Diagnostic::error(Code::CacheControlInvalid, at, message);
            let help = "write `PUBLIC` or `PRIVATE`".to_owned();
            reader.problems.push(problem.help(Some(help)));
            None
        }
    }
}
