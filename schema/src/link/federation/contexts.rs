//! `@fromContext` → what is taken of which objects further up.

use super::SubgraphContext;
use super::fields::inner_type_name;
use super::requirements::requirements;
use crate::key::{ContextArgument, Requirement};
use crate::types::{Name, Nullability, TypeId, Types};

/// What the argument is filled with, by the type of the object that sets the context.
pub(super) fn read(context: &SubgraphContext, types: &Types) -> Result<ContextArgument, String> {
    let mut setters: Vec<(TypeId, Requirement)> = Vec::new();
    let written = context.setters.iter().filter_map(|name| types.find(name));
    for object in written.flat_map(|ty| &types.get(ty).possible_types) {
        if setters.iter().any(|(known, _)| known == object) {
            continue;
        }
        let name = &types.get(*object).name;
        let needs = requirements(&context.selection.text, *object, types)
            .map_err(|why| format!("of `{name}`, {why}"))?;
        let [need] = &*needs else {
            return Err(format!("it takes more than one field of `{name}`"));
        };
        let value_type = ContextValueType::from_requirement(need, *object, types)?;
        value_type.check_assignable(&context.ty)?;
        setters.push((*object, need.clone()));
    }
    Ok(ContextArgument {
        argument: Name::clone(&context.argument),
        ty: Name::clone(&context.ty),
        setters,
    })
}

/// The type of what is taken: lists on the way are lists around it.
struct ContextValueType<'a> {
    name: &'a str,
    lists: usize,
    nullable: bool,
}

impl<'a> ContextValueType<'a> {
    fn from_requirement(
        need: &Requirement,
        owner: TypeId,
        types: &'a Types,
    ) -> Result<Self, String> {
        let definition = types.get(owner).field(&need.field);
        let Some(ty) = definition.map(|field| &field.ty) else {
            return Err(format!(
                "`{}` tells the type of an object, not a value",
                need.field
            ));
        };
        let here = Self {
            name: &types.get(ty.named_type()).name,
            lists: ty.list_depth(),
            nullable: ty.nullability() == Nullability::Nullable,
        };
        let inner = match need.inner.as_slice() {
            [] => return Ok(here),
            [only] => only,
            _ => return Err(format!("it takes more than one field of `{}`", need.field)),
        };
        if inner.on.is_some() {
            return Err(format!("a fragment cannot stand in `{}`", need.field));
        }
        let inner = Self::from_requirement(inner, ty.named_type(), types)?;
        // Null on the way is null in the end, unless a list is around it.
        let is_null = inner.nullable && here.lists == 0;
        Ok(Self {
            name: inner.name,
            lists: here.lists + inner.lists,
            nullable: here.nullable || is_null,
        })
    }

    fn check_assignable(&self, argument: &str) -> Result<(), String> {
        let wanted = argument.bytes().filter(|byte| *byte == b'[').count();
        let may_be_null = self.nullable && argument.ends_with('!');
        if self.name == inner_type_name(argument) && self.lists == wanted && !may_be_null {
            return Ok(());
        }
        let (open, close) = ("[".repeat(self.lists), "]".repeat(self.lists));
        let required = if self.nullable { "" } else { "!" };
        Err(format!(
            "it takes a `{open}{}{close}{required}`, and the argument is `{argument}`",
            self.name
        ))
    }
}
