//! `@requires` → the fields that a source requires, in terms of the graph's types.

use std::sync::Arc;

use apollo_compiler::ast::{self, InlineFragment, Selection, Value};

use super::fields::{self, check_braces};
use crate::input::{self, Input};
use crate::key::Requirement;
use crate::operation::Argument;
use crate::types::{Constant, Field, Name, Nullability, Type, TypeId, TypeKind, TypeRef, Types};

/// The requirements in the field set `text` of a field of `owner`.
pub(super) fn requirements(
    text: &str,
    owner: TypeId,
    types: &Types,
) -> Result<Arc<[Requirement]>, String> {
    let mut reader = Reader {
        types,
        remaining: REQUIREMENT_LIMIT,
    };
    let mut requirements = Vec::new();
    let scope = Scope { owner, on: None };
    reader.collect(&fields::read(text)?, scope, &mut requirements)?;
    if requirements.is_empty() {
        return Err("the field set names no field".to_owned());
    }
    Ok(requirements.into())
}

/// Maximum number of requirements in a field set: fragments on abstract types can multiply.
const REQUIREMENT_LIMIT: usize = 2_000;

/// The objects that a selection set applies to.
#[derive(Clone, Copy)]
struct Scope {
    /// The type of the field that has the selection set.
    owner: TypeId,
    /// The type condition of the enclosing fragments.
    on: Option<TypeId>,
}

impl Scope {
    fn ty(self) -> TypeId {
        self.on.unwrap_or(self.owner)
    }

    /// The scopes of the objects that have type `condition` too: one scope if a single type
    /// describes them and has the fields of `condition`, else one for each object type.
    fn narrow(self, condition: TypeId, types: &Types) -> Vec<Self> {
        let (here, there) = (
            &types.get(self.ty()).possible_types,
            &types.get(condition).possible_types,
        );
        let both = there.iter().filter(|object| here.contains(object));
        if both.clone().next().is_none() {
            return Vec::new();
        }
        let on = |on: TypeId| Self {
            owner: self.owner,
            on: Some(on),
        };
        if condition == self.ty() || here.as_slice() == [self.ty()] {
            return vec![self];
        }
        if self.on.is_none() || both.clone().count() == there.len() {
            return vec![on(condition)];
        }
        both.map(|object| on(*object)).collect()
    }
}

struct Reader<'a> {
    types: &'a Types,
    /// The number of requirements until the limit.
    remaining: usize,
}

impl Reader<'_> {
    fn collect(
        &mut self,
        selections: &[Selection],
        scope: Scope,
        requirements: &mut Vec<Requirement>,
    ) -> Result<(), String> {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    if let Some(need) = self.requirement(field, scope)? {
                        merge_requirement(requirements, need);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let inner = &fragment.selection_set;
                    for scope in self.scopes(fragment, scope)? {
                        self.collect(inner, scope, requirements)?;
                    }
                }
                Selection::FragmentSpread(_) => {} // `fields::read` rejects it.
            }
        }
        Ok(())
    }

    fn scopes(&self, fragment: &InlineFragment, scope: Scope) -> Result<Vec<Scope>, String> {
        let Some(name) = &fragment.type_condition else {
            return Ok(vec![scope]);
        };
        let ty = self.types.find(name);
        let ty = ty.filter(|ty| self.types.get(*ty).is_composite());
        let ty = ty.ok_or_else(|| format!("composite type `{name}` does not exist"))?;
        Ok(scope.narrow(ty, self.types))
    }

    /// The requirement of a field; `None` when no object can match the selections below it.
    fn requirement(
        &mut self,
        field: &ast::Field,
        scope: Scope,
    ) -> Result<Option<Requirement>, String> {
        self.remaining = self
            .remaining
            .checked_sub(1)
            .ok_or("the field set has too many fields")?;
        let owner = self.types.get(scope.ty());
        let mut need = Requirement {
            on: scope.on,
            field: field.name.as_str().into(),
            arguments: Vec::new(),
            inner: Vec::new(),
        };
        if field.name == "__typename" {
            return Ok(Some(need));
        }
        let definition = owner
            .field(&field.name)
            .ok_or_else(|| format!("`{}` has no field `{}`", owner.name, field.name))?;
        need.arguments = arguments(field, owner, definition, self.types)?;
        let child = definition.ty.named_type();
        let is_composite = self.types.get(child).is_composite();
        check_braces(&field.name, is_composite, &field.selection_set)?;
        let below = Scope {
            owner: child,
            on: None,
        };
        self.collect(&field.selection_set, below, &mut need.inner)?;
        Ok((!is_composite || !need.inner.is_empty()).then_some(need))
    }
}

/// Adds a requirement; merges it into one with the same field and arguments.
fn merge_requirement(requirements: &mut Vec<Requirement>, need: Requirement) {
    let same = |known: &&mut Requirement| {
        known.on == need.on && known.field == need.field && known.arguments == need.arguments
    };
    let Some(known) = requirements.iter_mut().find(same) else {
        requirements.push(need);
        return;
    };
    for inner in need.inner {
        merge_requirement(&mut known.inner, inner);
    }
}

/// The arguments of a field with their defaults, in schema order as in operations.
fn arguments(
    field: &ast::Field,
    owner: &Type,
    definition: &Field,
    types: &Types,
) -> Result<Vec<(Name, Argument)>, String> {
    let coordinate = format!("{}.{}", owner.name, definition.name);
    for argument in &field.arguments {
        if !definition.arguments.contains_key(argument.name.as_str()) {
            return Err(format!(
                "`{coordinate}` has no argument `{}`",
                argument.name
            ));
        }
    }
    let mut read = Vec::new();
    for (name, argument) in &definition.arguments {
        let specified = field.arguments.iter().find(|it| *it.name == **name);
        let value = match (specified, &argument.default) {
            (Some(specified), _) => literal(&specified.value, &argument.ty, types)?,
            (None, Some(default)) => default.clone(),
            (None, None) if argument.ty.nullability() == Nullability::NonNull => {
                return Err(format!("`{coordinate}` requires the argument `{name}`"));
            }
            (None, None) => continue,
        };
        let argument = Argument {
            value: Input::Constant(value),
            default: argument.default.clone(),
            text: specified.map(|it| input::literal_text(&it.value).into()),
        };
        read.push((Arc::clone(name), argument));
    }
    Ok(read)
}

/// The coerced value of a literal; `input` coerces those of operations.
fn literal(value: &Value, ty: &TypeRef, types: &Types) -> Result<Constant, String> {
    let named = types.get(ty.named_type());
    Ok(match (value, ty) {
        (Value::Variable(name), _) => {
            return Err(format!(
                "`${name}` is a variable, and field sets cannot have variables"
            ));
        }
        (Value::Null, _) => Constant::Null,
        (Value::List(items), TypeRef::List(inner, _)) => list(items, inner, types)?,
        (_, TypeRef::List(inner, _)) => Constant::List(vec![literal(value, inner, types)?]),
        (Value::List(items), _) => list(items, ty, types)?,
        (Value::Object(members), _) => object(members, ty, types)?,
        (Value::Boolean(value), _) => Constant::Boolean(*value),
        (Value::Int(value), _) if *named.name == *"ID" => Constant::String(value.as_str().into()),
        (Value::Int(value), _) => Constant::Number(value.as_str().into()),
        (Value::Float(value), _) => Constant::Number(value.as_str().into()),
        (Value::String(value), _) => Constant::String(value.clone()),
        (Value::Enum(value), _) => Constant::String(value.to_string()),
    })
}

fn list(
    items: &[apollo_compiler::Node<Value>],
    ty: &TypeRef,
    types: &Types,
) -> Result<Constant, String> {
    let items = items.iter().map(|item| literal(item, ty, types));
    Ok(Constant::List(items.collect::<Result<_, _>>()?))
}

fn object(
    members: &[(apollo_compiler::Name, apollo_compiler::Node<Value>)],
    ty: &TypeRef,
    types: &Types,
) -> Result<Constant, String> {
    let TypeKind::InputObject(fields) = &types.get(ty.named_type()).kind else {
        // A custom scalar accepts any object.
        let members = members
            .iter()
            .map(|(key, value)| Ok((key.as_str().into(), literal(value, ty, types)?)));
        return Ok(Constant::Object(members.collect::<Result<_, String>>()?));
    };
    let mut read = Vec::new();
    for (key, field) in fields {
        let specified = members.iter().find(|(name, _)| **name == **key);
        let value = match (specified, &field.default) {
            (Some((_, value)), _) => literal(value, &field.ty, types)?,
            (None, Some(default)) => default.clone(),
            (None, None) => continue,
        };
        read.push((Arc::clone(key), value));
    }
    Ok(Constant::Object(read))
}
