//! `@fromContext` → the required field of each ancestor type that sets the context.

use super::SubgraphContext;
use super::fields::inner_type_name;
use super::requirements::requirements;
use crate::key::{ContextArgument, Requirement};
use crate::types::{Name, Nullability, TypeId, Types};

/// The requirement of the argument, by the object type that sets the context.
pub(super) fn read(context: &SubgraphContext, types: &Types) -> Result<ContextArgument, String> {
    let mut setters: Vec<(TypeId, Requirement)> = Vec::new();
    let setter_types = context.setters.iter().filter_map(|name| types.find(name));
    for object in setter_types.flat_map(|ty| &types.get(ty).possible_types) {
        if setters.iter().any(|(known, _)| known == object) {
            continue;
        }
        let name = &types.get(*object).name;
        let needs = requirements(&context.selection.text, *object, types)
            .map_err(|why| format!("for `{name}`, {why}"))?;
        let [need] = &*needs else {
            return Err(format!("the selection has more than one field of `{name}`"));
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

/// The type of the selected value; every list on the path to it adds a list.
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
                "`{}` is not allowed in the selection of a context",
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
            _ => {
                return Err(format!(
                    "the selection has more than one field of `{}`",
                    need.field
                ));
            }
        };
        if inner.on.is_some() {
            return Err(format!("a fragment is not allowed in `{}`", need.field));
        }
        let inner = Self::from_requirement(inner, ty.named_type(), types)?;
        // A null on the path makes the value null, unless it is an item of a list.
        let is_null = inner.nullable && here.lists == 0;
        Ok(Self {
            name: inner.name,
            lists: here.lists + inner.lists,
            nullable: here.nullable || is_null,
        })
    }

    fn check_assignable(&self, argument: &str) -> Result<(), String> {
        let list_depth = argument.bytes().filter(|byte| *byte == b'[').count();
        let may_be_null = self.nullable && argument.ends_with('!');
        if self.name == inner_type_name(argument) && self.lists == list_depth && !may_be_null {
            return Ok(());
        }
        let (open, close) = ("[".repeat(self.lists), "]".repeat(self.lists));
        let required = if self.nullable { "" } else { "!" };
        Err(format!(
            "the selected value has type `{open}{}{close}{required}`, and the argument `{argument}`",
            self.name
        ))
    }
}
