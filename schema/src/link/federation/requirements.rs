//! `@requires` → what a source must be told, in terms of the graph's types.

use std::sync::Arc;

use apollo_compiler::ast::{self, InlineFragment, Selection, Value};

use super::fields::{self, check_braces};
use crate::input::{self, Input};
use crate::key::Requirement;
use crate::operation::Argument;
use crate::types::{Constant, Field, Name, Nullability, Type, TypeId, TypeKind, TypeRef, Types};

/// What `text`, written at a field of `owner`, needs of the object.
pub(super) fn requirements(
    text: &str,
    owner: TypeId,
    types: &Types,
) -> Result<Arc<[Requirement]>, String> {
    let mut reader = Reader {
        types,
        remaining: REQUIREMENT_LIMIT,
    };
    let mut found = Vec::new();
    let scope = Scope { owner, on: None };
    reader.collect(&fields::read(text)?, scope, &mut found)?;
    if found.is_empty() {
        return Err("it names no field".to_owned());
    }
    Ok(found.into())
}

/// More than any person writes; fragments on abstract types can multiply.
const REQUIREMENT_LIMIT: usize = 2_000;

/// Where in the text we are.
#[derive(Clone, Copy)]
struct Scope {
    /// The type of the objects there.
    owner: TypeId,
    /// What fragments have cut them down to.
    on: Option<TypeId>,
}

impl Scope {
    fn ty(self) -> TypeId {
        self.on.unwrap_or(self.owner)
    }

    /// The objects that are a `wanted` too: of one type where there is one that says it and has
    /// the fields of `wanted`, else of each object type by itself.
    fn narrow(self, wanted: TypeId, types: &Types) -> Vec<Self> {
        let (here, there) = (
            &types.get(self.ty()).possible_types,
            &types.get(wanted).possible_types,
        );
        let both = there.iter().filter(|object| here.contains(object));
        if both.clone().next().is_none() {
            return Vec::new();
        }
        let on = |on: TypeId| Self {
            owner: self.owner,
            on: Some(on),
        };
        if wanted == self.ty() || here.as_slice() == [self.ty()] {
            return vec![self];
        }
        if self.on.is_none() || both.clone().count() == there.len() {
            return vec![on(wanted)];
        }
        both.map(|object| on(*object)).collect()
    }
}

struct Reader<'a> {
    types: &'a Types,
    /// How many more fields may be needed.
    remaining: usize,
}

impl Reader<'_> {
    fn collect(
        &mut self,
        selections: &[Selection],
        scope: Scope,
        found: &mut Vec<Requirement>,
    ) -> Result<(), String> {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    if let Some(need) = self.requirement(field, scope)? {
                        merge_requirement(found, need);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let inner = &fragment.selection_set;
                    for scope in self.scopes(fragment, scope)? {
                        self.collect(inner, scope, found)?;
                    }
                }
                Selection::FragmentSpread(_) => {} // `fields::read` refuses it.
            }
        }
        Ok(())
    }

    fn scopes(&self, fragment: &InlineFragment, scope: Scope) -> Result<Vec<Scope>, String> {
        let Some(name) = &fragment.type_condition else {
            return Ok(vec![scope]);
        };
        let wanted = self.types.find(name);
        let wanted = wanted.filter(|it| self.types.get(*it).is_composite());
        let wanted = wanted.ok_or_else(|| format!("there is no type `{name}`"))?;
        Ok(scope.narrow(wanted, self.types))
    }

    /// `None` where no object could have what is asked for below the field.
    fn requirement(
        &mut self,
        field: &ast::Field,
        scope: Scope,
    ) -> Result<Option<Requirement>, String> {
        self.remaining = self
            .remaining
            .checked_sub(1)
            .ok_or("it names too many fields")?;
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

/// Fields that are named twice are asked for once.
fn merge_requirement(found: &mut Vec<Requirement>, need: Requirement) {
    let same = |known: &&mut Requirement| {
        known.on == need.on && known.field == need.field && known.arguments == need.arguments
    };
    let Some(known) = found.iter_mut().find(same) else {
        found.push(need);
        return;
    };
    for inner in need.inner {
        merge_requirement(&mut known.inner, inner);
    }
}

/// Written or defaulted, in the order of the schema, as in operations.
fn arguments(
    field: &ast::Field,
    owner: &Type,
    definition: &Field,
    types: &Types,
) -> Result<Vec<(Name, Argument)>, String> {
    let place = format!("{}.{}", owner.name, definition.name);
    for written in &field.arguments {
        if !definition.arguments.contains_key(written.name.as_str()) {
            return Err(format!("`{place}` has no argument `{}`", written.name));
        }
    }
    let mut read = Vec::new();
    for (name, argument) in &definition.arguments {
        let written = field.arguments.iter().find(|it| *it.name == **name);
        let value = match (written, &argument.default) {
            (Some(written), _) => literal(&written.value, &argument.ty, types)?,
            (None, Some(default)) => default.clone(),
            (None, None) if argument.ty.nullability() == Nullability::NonNull => {
                return Err(format!("`{place}` needs its argument `{name}`"));
            }
            (None, None) => continue,
        };
        let argument = Argument {
            value: Input::Constant(value),
            default: argument.default.clone(),
            text: written.map(|it| input::literal_text(&it.value).into()),
        };
        read.push((Arc::clone(name), argument));
    }
    Ok(read)
}

/// A literal in the form that coercion gives it, as `input` does it for operations.
fn literal(value: &Value, ty: &TypeRef, types: &Types) -> Result<Constant, String> {
    let named = types.get(ty.named_type());
    Ok(match (value, ty) {
        (Value::Variable(name), _) => return Err(format!("there is no variable `${name}`")),
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
        // A custom scalar takes any object as it is.
        let members = members
            .iter()
            .map(|(key, value)| Ok((key.as_str().into(), literal(value, ty, types)?)));
        return Ok(Constant::Object(members.collect::<Result<_, String>>()?));
    };
    let mut read = Vec::new();
    for (key, field) in fields {
        let written = members.iter().find(|(name, _)| **name == **key);
        let value = match (written, &field.default) {
            (Some((_, value)), _) => literal(value, &field.ty, types)?,
            (None, Some(default)) => default.clone(),
            (None, None) => continue,
        };
        read.push((Arc::clone(key), value));
    }
    Ok(Constant::Object(read))
}
