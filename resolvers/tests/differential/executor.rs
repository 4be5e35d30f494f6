//! GraphQL §6.3 and §6.4 for a document that is valid: collects fields, completes values, and
//! propagates nulls (§6.4.4). Every field is executed, so every error is known, also below a null.
//!
//! What an object and a value are is left to a `Resolver`.

use std::collections::HashSet;

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::executable::{Field, Operation, Selection};
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name};
use indexmap::IndexMap;

mod inputs;

/// Resolves the fields of objects.
pub(crate) trait Resolver {
    type Object;

    /// The name of an object's type.
    fn type_name(&self, object: &Self::Object) -> String;

    fn resolve(&mut self, object: &Self::Object, call: &FieldCall<'_>) -> Resolved<Self::Object>;

    /// An error has made a field null.
    fn nulled(&mut self, type_name: &str, field: &str) {
        let _ = (type_name, field);
    }
}

/// A field of an object that is resolved.
pub(crate) struct FieldCall<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: JsonMap,
    /// The named type that is declared.
    pub(crate) declared: &'a str,
    pub(crate) is_non_null: bool,
    pub(crate) path: &'a [Step],
}

/// The value of a field, before it is completed.
pub(crate) enum Resolved<O> {
    Null,
    Error(String),
    /// A value that the type does not allow.
    Wrong(JsonValue),
    Leaf(JsonValue),
    Object(O),
    List(Vec<Self>),
}

/// One step of a response path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

pub(crate) type Path = Vec<Step>;

/// What becomes of a value that the type does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrongValues {
    /// It is sent, as by a service that does not check.
    Send,
    /// An error of the field (§6.4.3, result coercion).
    Reject,
}

/// A document with the values of its variables.
pub(crate) struct Request<'a> {
    pub(crate) schema: &'a Valid<Schema>,
    pub(crate) document: &'a ExecutableDocument,
    pub(crate) operation: &'a Operation,
    pub(crate) variables: &'a JsonMap,
    pub(crate) wrong: WrongValues,
}

/// The response.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    pub(crate) data: JsonValue,
    pub(crate) errors: Vec<(Path, String)>,
    /// Where an error is, or made a value null.
    pub(crate) nulls: Vec<Path>,
}

/// Executes an operation from its root object.
pub(crate) fn execute<R: Resolver>(
    request: &Request<'_>,
    resolver: &mut R,
    root: &R::Object,
) -> Executed {
    let mut execution = Execution {
        request,
        resolver,
        path: Vec::new(),
        executed: Executed::default(),
    };
    let selections = vec![&request.operation.selection_set.selections];
    match execution.object(root, &selections) {
        Ok(data) => execution.executed.data = data,
        Err(Propagated) => execution.executed.nulls.push(Vec::new()),
    }
    execution.executed
}

/// An error whose value may not be null.
struct Propagated;

type Completed = Result<JsonValue, Propagated>;

struct Execution<'a, R> {
    request: &'a Request<'a>,
    resolver: &'a mut R,
    path: Path,
    executed: Executed,
}

impl<'a, R: Resolver> Execution<'a, R> {
    fn object(&mut self, object: &R::Object, selections: &[&'a Vec<Selection>]) -> Completed {
        let type_name = self.resolver.type_name(object);
        let mut groups: IndexMap<&Name, Vec<&'a Field>> = IndexMap::new();
        let mut visited = HashSet::new();
        for selections in selections {
            self.collect(&type_name, selections, &mut groups, &mut visited);
        }
        let mut members = JsonMap::new();
        let mut is_null = false;
        for (key, fields) in groups {
            self.path.push(Step::Key(key.to_string()));
            match self.field(object, &type_name, &fields) {
                Ok(value) => {
                    members.insert(key.as_str(), value);
                }
                Err(Propagated) => is_null = true,
            }
            self.path.pop();
        }
        if is_null {
            Err(Propagated)
        } else {
            Ok(members.into())
        }
    }

    /// `CollectFields`, §6.3.2.
    fn collect(
        &self,
        type_name: &str,
        selections: &'a [Selection],
        groups: &mut IndexMap<&'a Name, Vec<&'a Field>>,
        visited: &mut HashSet<&'a str>,
    ) {
        for selection in selections {
            if !self.is_included(selection) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    groups.entry(field.response_key()).or_default().push(field);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.type_condition.as_ref();
                    if condition.is_none_or(|on| self.applies(type_name, on)) {
                        let inner = &inline.selection_set.selections;
                        self.collect(type_name, inner, groups, visited);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.fragment_name;
                    let Some(fragment) = self.request.document.fragments.get(name) else {
                        continue;
                    };
                    if visited.insert(name) && self.applies(type_name, fragment.type_condition()) {
                        let inner = &fragment.selection_set.selections;
                        self.collect(type_name, inner, groups, visited);
                    }
                }
            }
        }
    }

    fn is_included(&self, selection: &Selection) -> bool {
        let condition = |name: &str| {
            let directive = selection.directives().get(name)?;
            let value = directive.specified_argument_by_name("if")?;
            inputs::boolean(value, self.request.variables)
        };
        condition("skip") != Some(true) && condition("include") != Some(false)
    }

    /// Whether an object type is, or belongs to, the type of a condition.
    fn applies(&self, object: &str, condition: &str) -> bool {
        let schema = self.request.schema;
        object == condition || schema.is_subtype(condition, object)
    }

    /// `ExecuteField`, §6.4.
    fn field(&mut self, object: &R::Object, type_name: &str, fields: &[&'a Field]) -> Completed {
        let field = fields[0];
        if field.name == "__typename" {
            return Ok(type_name.into());
        }
        let schema = self.request.schema;
        let Ok(definition) = schema.type_field(type_name, &field.name) else {
            return self.error(format!("{UNEXPECTED} {type_name}.{}", field.name));
        };
        let call = FieldCall {
            name: &field.name,
            arguments: inputs::arguments(schema, definition, field, self.request.variables),
            declared: definition.ty.inner_named_type(),
            is_non_null: definition.ty.is_non_null(),
            path: &self.path,
        };
        let resolved = self.resolver.resolve(object, &call);
        let completed = self.nullable(&definition.ty, resolved, fields);
        if self.executed.nulls.last() == Some(&self.path) {
            self.resolver.nulled(type_name, &field.name);
        }
        completed
    }

    /// A completed value; null where the type allows it and an error made it null.
    fn nullable(
        &mut self,
        ty: &Type,
        resolved: Resolved<R::Object>,
        fields: &[&'a Field],
    ) -> Completed {
        match self.complete(ty, resolved, fields) {
            Err(Propagated) if !ty.is_non_null() => {
                self.executed.nulls.push(self.path.clone());
                Ok(JsonValue::Null)
            }
            completed => completed,
        }
    }

    /// `CompleteValue`, §6.4.3.
    fn complete(
        &mut self,
        ty: &Type,
        resolved: Resolved<R::Object>,
        fields: &[&'a Field],
    ) -> Completed {
        match (resolved, ty) {
            (Resolved::Null, _) if ty.is_non_null() => self.error("null".to_owned()),
            (Resolved::Null, _) => Ok(JsonValue::Null),
            (Resolved::Error(message), _) => self.error(message),
            (Resolved::Wrong(value), _) => match self.request.wrong {
                WrongValues::Send => Ok(value),
                WrongValues::Reject => self.error("wrong type".to_owned()),
            },
            (Resolved::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
                self.list(inner, items, fields)
            }
            (Resolved::Leaf(leaf), Type::Named(_) | Type::NonNullNamed(_)) => Ok(leaf),
            (Resolved::Object(object), Type::Named(name) | Type::NonNullNamed(name)) => {
                let type_name = self.resolver.type_name(&object);
                let is_object = matches!(
                    self.request.schema.types.get(type_name.as_str()),
                    Some(ExtendedType::Object(_))
                );
                if !is_object || !self.applies(&type_name, name) {
                    return self.error(format!("{UNEXPECTED} {type_name} for {name}"));
                }
                let inner = fields.iter().map(|it| &it.selection_set.selections);
                self.object(&object, &inner.collect::<Vec<_>>())
            }
            _ => self.error(format!("{UNEXPECTED} value for {ty}")),
        }
    }

    fn list(
        &mut self,
        inner: &Type,
        items: Vec<Resolved<R::Object>>,
        fields: &[&'a Field],
    ) -> Completed {
        let mut completed = Vec::with_capacity(items.len());
        let mut is_null = false;
        for (index, item) in items.into_iter().enumerate() {
            self.path.push(Step::Index(index));
            match self.nullable(inner, item, fields) {
                Ok(item) => completed.push(item),
                Err(Propagated) => is_null = true,
            }
            self.path.pop();
        }
        if is_null {
            Err(Propagated)
        } else {
            Ok(JsonValue::Array(completed))
        }
    }

    fn error(&mut self, message: String) -> Completed {
        self.executed.errors.push((self.path.clone(), message));
        Err(Propagated)
    }
}

/// Begins the message of an error that no fault explains.
pub(crate) const UNEXPECTED: &str = "unexpected";
