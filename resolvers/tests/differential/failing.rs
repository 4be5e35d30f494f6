//! One case with faults: an operation, executed by Weir under two orders of arrival and by the
//! reference; and once more with a cache, after the faults are gone.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::time::Duration;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonValue;
use resolvers::Outcome;
use resolvers::cache::Reuse;
use resolvers::error::{FieldError, PathElement};

use crate::arrivals::Order;
use crate::check::{Failure, Response, Running, Wrong, guarded, unordered};
use crate::executor::{self, Executed, Path, Step, WrongValues};
use crate::fault::Faults;
use crate::operation::Operation;
use crate::reference::{Actual, Reference};
use crate::settings;

/// What a case has compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) requests: usize,
    /// Errors of responses.
    pub(crate) errors: usize,
    /// Responses that could not be compared.
    pub(crate) unclear: usize,
    /// Errors below a null that are not at the field that failed.
    pub(crate) misplaced: usize,
}

impl Running {
    /// Executes the operation, with the faults if there are any, and compares.
    pub(crate) fn compared(
        &self,
        operation: &Operation,
        faults: Option<&Faults>,
    ) -> Result<Compared, Failure> {
        match faults {
            Some(faults) => self.check_failing(operation, faults),
            None => self.check(operation).map(|requests| Compared {
                requests,
                ..Compared::default()
            }),
        }
    }

    fn check_failing(&self, operation: &Operation, faults: &Faults) -> Result<Compared, Failure> {
        let plan = self.engine.plan_text(&operation.document(), None);
        let result = guarded(|| self.check_orders(operation, faults));
        self.data.set_faults(&Faults::default());
        result.map_err(|failure| Failure {
            text: format!("{}\n{}", plan.unwrap_or_default(), failure.text),
            ..failure
        })
    }

    fn check_orders(&self, operation: &Operation, faults: &Faults) -> Result<Compared, Failure> {
        let mut compared = Compared::default();
        self.data.set_faults(faults);
        for order in [Order::Ascending, Order::Descending] {
            let response = self.respond(&self.engine, operation, order);
            self.compare(operation, &response, &mut compared)
                .map_err(|failure| failure.of(order))?;
        }
        if self.uses_cache {
            self.check_cached(operation, faults, &mut compared)?;
        }
        Ok(compared)
    }

    /// Executes the operation with a cache, and again when the faults are gone.
    fn check_cached(
        &self,
        operation: &Operation,
        faults: &Faults,
        compared: &mut Compared,
    ) -> Result<(), Failure> {
        self.data
            .set_faults(&faults.without_unexpected_values(self.model()));
        let engine = self.cached_engine();
        let response = self.respond(&engine, operation, Order::AtOnce);
        self.compare(operation, &response, compared)
            .map_err(|failure| failure.of("with a cache"))?;
        self.check_reuse(&response)?;
        self.data.set_faults(&Faults::default());
        let response = self.respond(&engine, operation, Order::AtOnce);
        self.compare(operation, &response, compared)
            .map_err(|failure| Failure {
                what: Wrong::Afterwards,
                ..failure
            })
    }

    /// Compares a response with that of the reference.
    fn compare(
        &self,
        operation: &Operation,
        response: &Response,
        compared: &mut Compared,
    ) -> Result<(), Failure> {
        let paths = error_paths(response)?;
        let data = serde_json::from_str(&response.data).unwrap_or(JsonValue::Null);
        let errors: HashSet<Path> = paths.iter().cloned().collect();
        let actual = Actual { data, errors };
        let mut reference = Reference::new(&self.data, &actual);
        let expected = self.expected(operation, &mut reference)?;
        compared.requests += response.requests.len();
        compared.errors += paths.len();
        compared.misplaced += misplaced(&paths, &expected);
        let what = if !response.rejected.is_empty() {
            Some(Wrong::Request)
        } else if reference.is_unclear {
            compared.unclear += 1;
            None
        } else {
            different(response, &paths, &expected, &reference)
        };
        match what {
            None => Ok(()),
            Some(what) => Err(Failure::new(what, text(response, &paths, &expected))),
        }
    }

    fn expected(
        &self,
        operation: &Operation,
        reference: &mut Reference<'_>,
    ) -> Result<Executed, Failure> {
        let invalid = |error: String| Failure::new(Wrong::Operation, error);
        let document =
            ExecutableDocument::parse_and_validate(&self.whole, operation.document(), "");
        let document = document.map_err(|error| invalid(error.to_string()))?;
        let definition = document.operations.get(None);
        let definition = definition.map_err(|error| invalid(error.message().to_string()))?;
        let variables = coerce_variable_values(&self.whole, definition, &operation.values());
        let variables = variables.map_err(|error| invalid(error.message().to_string()))?;
        let request = executor::Request {
            schema: &self.whole,
            document: &document,
            operation: definition,
            variables: &variables,
            wrong: WrongValues::Reject,
        };
        let root = Reference::root(&operation.root);
        Ok(executor::execute(&request, reference, &root))
    }

    /// Whether a subgraph may not find an entity, and a REST service an object; what is not found
    /// is not cached here.
    fn may_miss(&self, response: &Response) -> bool {
        let mut types = self.model().types.values();
        let has_missing = self.data.faults().has_missing();
        let is_null_of_rest = self.model().rest.is_some() && response.data.contains("null");
        has_missing || is_null_of_rest || types.any(|ty| ty.unknown.is_some())
    }

    /// A response with an error is not cacheable; another lives as long as the values that it has
    /// of the subgraphs that were called.
    fn check_reuse(&self, response: &Response) -> Result<(), Failure> {
        let Outcome::Executed {
            errors,
            failures,
            reuse: Some(reuse),
            ..
        } = &response.outcome
        else {
            return Ok(());
        };
        let subgraphs = &self.model().subgraphs;
        let called = response.requests.iter();
        let names = called.filter_map(|request| request.split(':').next());
        let least = names.map(|name| settings::ttl(subgraphs, name)).min();
        let is_right = match reuse {
            Reuse::Never => {
                let has_error = !errors.is_empty() || !failures.is_empty();
                has_error || self.may_miss(response) || has_context_arguments(response)
            }
            Reuse::Shared(lifetime) => {
                errors.is_empty() && least.is_none_or(|least| is_about(lifetime.fresh, least))
            }
            Reuse::PerCaller(_) => false,
        };
        if is_right {
            return Ok(());
        }
        let text = format!(
            "{reuse:?}, the least lifetime is {least:?}\nanswered {}\nrequests:\n  {}",
            response.data,
            response.requests.join("\n  ")
        );
        Err(Failure::new(Wrong::Reuse, text))
    }
}

/// Whether a request has context arguments, with which nothing is cached.
fn has_context_arguments(response: &Response) -> bool {
    let mut requests = response.requests.iter();
    requests.any(|request| request.contains("$c0"))
}

/// Whether a lifetime is as expected, but for the seconds that passed.
fn is_about(fresh: Duration, expected: Duration) -> bool {
    fresh <= expected && fresh + Duration::from_secs(30) >= expected
}

impl Failure {
    fn of(self, circumstances: impl std::fmt::Debug) -> Self {
        let text = format!("{circumstances:?}\n{}", self.text);
        Self { text, ..self }
    }
}

/// The paths of the errors of a response.
fn error_paths(response: &Response) -> Result<Vec<Path>, Failure> {
    match &response.outcome {
        Outcome::Executed { errors, .. } => Ok(errors.iter().map(path).collect()),
        Outcome::Cached { .. } => Ok(Vec::new()),
        Outcome::Refused { errors } => {
            let messages = errors.iter().map(|error| error.message.clone());
            let text = messages.collect::<Vec<_>>().join("\n");
            Err(Failure::new(Wrong::Rejected, text))
        }
    }
}

fn path(error: &FieldError) -> Path {
    let steps = error.path.iter();
    steps
        .map(|step| match step {
            PathElement::Key(key) => Step::Key(key.to_string()),
            PathElement::Index(index) => Step::Index(*index),
        })
        .collect()
}

/// The first difference, if there is one.
fn different(
    response: &Response,
    paths: &[Path],
    expected: &Executed,
    reference: &Reference<'_>,
) -> Option<Wrong> {
    let data = serde_json::to_string(&expected.data).unwrap();
    if response.data != data {
        let is_order = unordered(&response.data) == unordered(&data);
        return Some(if is_order { Wrong::Order } else { Wrong::Data });
    }
    // Where another subgraph gave all that a failed call was to give, its error has no path.
    let placed = paths.iter().filter(|path| {
        let is_spared = path.is_empty() && reference.spared > 0;
        !is_spared
    });
    if !are_errors_right(&placed.collect::<Vec<_>>(), expected) {
        return Some(Wrong::ErrorPaths);
    }
    // What follows a root field that may not be null, and is, need not run.
    let changes = reference.changes.as_ref()?;
    let is_same = if expected.data.is_null() {
        changes.starts_with(&response.changes)
    } else {
        *changes == response.changes
    };
    (!is_same).then_some(Wrong::Changes)
}

/// Whether the errors are those of the reference, each once. Below a null that an error has
/// propagated to, one error suffices (§6.4.4).
fn are_errors_right(paths: &[&Path], expected: &Executed) -> bool {
    let actual: BTreeSet<&Path> = paths.iter().copied().collect();
    let possible: BTreeSet<&Path> = expected.errors.iter().map(|(path, _)| path).collect();
    let is_outside = |path: &&&Path| outermost_null(path, &expected.nulls).is_none();
    let outside: Vec<&&Path> = actual.iter().filter(is_outside).collect();
    if actual.len() != paths.len()
        || outside != possible.iter().filter(is_outside).collect::<Vec<_>>()
    {
        return false;
    }
    let nulls = |paths: &BTreeSet<&Path>| -> BTreeSet<Path> {
        let nulls = paths.iter();
        let nulls = nulls.filter_map(|path| outermost_null(path, &expected.nulls));
        nulls.cloned().collect()
    };
    nulls(&actual) == nulls(&possible)
}

/// Number of errors below a null that are at another field than the one that failed: the response
/// of a subgraph had no data, and the first of its fields that may not be null has the error.
fn misplaced(paths: &[Path], expected: &Executed) -> usize {
    let is_possible = |path: &Path| expected.errors.iter().any(|(known, _)| known == path);
    paths.iter().filter(|path| !is_possible(path)).count()
}

/// The outermost null above an error.
fn outermost_null<'n>(path: &Path, nulls: &'n [Path]) -> Option<&'n Path> {
    let above = nulls
        .iter()
        .filter(|null| null.len() < path.len() && path.starts_with(null));
    above.min_by_key(|null| null.len())
}

fn text(response: &Response, paths: &[Path], expected: &Executed) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "requests:\n  {}", response.requests.join("\n  "));
    if !response.rejected.is_empty() {
        let _ = writeln!(text, "rejected:\n  {}", response.rejected.join("\n  "));
    }
    let data = serde_json::to_string(&expected.data).unwrap();
    let _ = writeln!(text, "expected {data}");
    for (path, message) in &expected.errors {
        let _ = writeln!(text, "  error at {}: {message}", dotted(path));
    }
    let _ = writeln!(text, "answered {}", response.data);
    let Outcome::Executed { errors, .. } = &response.outcome else {
        return text;
    };
    for (path, error) in paths.iter().zip(errors) {
        let _ = writeln!(text, "  error at {}: {:?}", dotted(path), error.kind);
    }
    text
}

fn dotted(path: &Path) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    });
    steps.collect::<Vec<_>>().join(".")
}
