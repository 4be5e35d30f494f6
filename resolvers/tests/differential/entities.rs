//! `_entities`: representations → objects. Every value of a representation is compared with the
//! data, so that a wrong one is found even if no field depends on it.

use std::sync::Arc;

use apollo_compiler::response::{JsonMap, JsonValue};

use crate::data::{Data, Thing, Value};
use crate::executor::Resolved;
use crate::fault::Lost;
use crate::model::{Name, Pick};
use crate::service::{Here, Service};

/// Resolves `_entities`; an error is a request that must not be sent.
pub(crate) fn resolve<'a>(
    service: &'a Service,
    arguments: &JsonMap,
) -> Result<Resolved<Here<'a>>, String> {
    let representations = arguments.get("representations");
    let Some(JsonValue::Array(representations)) = representations else {
        return Err("`representations` is no list".to_owned());
    };
    for (index, one) in representations.iter().enumerate() {
        if representations[..index].contains(one) {
            return Err(format!("{one} is requested twice"));
        }
    }
    let entities = representations.iter().map(|representation| {
        let here = entity(service, representation);
        let here = here.map_err(|why| format!("{representation}: {why}"))?;
        Ok(found(service, here))
    });
    Ok(Resolved::List(entities.collect::<Result<_, String>>()?))
}

/// The entity, unless the subgraph does not know it or has lost it.
fn found<'a>(service: &Service, here: Here<'a>) -> Resolved<Here<'a>> {
    if service.data.is_stranger(&here.thing, &service.name) {
        return Resolved::Null;
    }
    match service.data.faults().entity(&service.name, &here.thing) {
        Some(Lost::Missing) => Resolved::Null,
        Some(Lost::Throws) => Resolved::Error("the entity is lost".to_owned()),
        None => Resolved::Object(here),
    }
}

fn entity<'a>(service: &'a Service, representation: &JsonValue) -> Result<Here<'a>, String> {
    let representation = representation.as_object().ok_or("is no object")?;
    let name = representation.get("__typename").and_then(JsonValue::as_str);
    let name: Name = name.ok_or("has no `__typename`")?.into();
    let data = &service.data;
    let ty = data.model.get(&name).ok_or("is of no known type")?;
    let home = ty.homes.get(&service.name).ok_or("is of a type not here")?;
    let mut found: Vec<Thing> = Vec::new();
    let resolvable = home.keys.iter().filter(|key| key.resolvable);
    for key in resolvable.map(|key| &ty.keys[key.index]) {
        if let Ok(wanted) = picked(representation, key) {
            let thing = data
                .entities(&name)
                .into_iter()
                .find(|thing| data.picked(thing, key).as_ref() == Ok(&wanted));
            found.push(thing.ok_or("has a key that no entity has")?);
        }
    }
    let thing = found.first().ok_or("has no key of this subgraph")?.clone();
    if found.iter().any(|other| *other != thing) {
        return Err("has keys of different entities".to_owned());
    }
    let called = if home.is_interface_object {
        name
    } else {
        Arc::clone(&thing.ty)
    };
    for (field, value) in representation {
        if field.as_str() != "__typename" {
            agrees(service, (&thing, &called), field.as_str(), value)?;
        }
    }
    Ok(Here {
        service,
        name: called,
        thing,
        provided: Vec::new(),
        representation: Some(representation.clone()),
    })
}

/// Checks that the subgraph has the field, and that the value is that of the data.
fn agrees(
    service: &Service,
    (thing, called): (&Thing, &str),
    field: &str,
    value: &JsonValue,
) -> Result<(), String> {
    let data: &Data = &service.data;
    if data
        .model
        .home_field(called, &service.name, field)
        .is_none()
    {
        return Err(format!("has `{field}`, which `{called}` lacks here"));
    }
    let arguments = data.defaults(thing, field);
    let is_computed = (data.field(thing, field)).is_some_and(|field| !field.requires.is_empty());
    if data.faults().has_missing() && (value.is_null() || is_computed) {
        return Ok(()); // An entity was not found where the value, or an input of it, comes from.
    }
    same(service, &data.of(thing, field, &arguments), value)
        .map_err(|why| format!("`{field}` {why}"))
}

fn same(service: &Service, known: &Value, representation: &JsonValue) -> Result<(), String> {
    match (known, representation) {
        (Value::Null, JsonValue::Null) => Ok(()),
        (Value::Leaf(known), representation) if known == representation => Ok(()),
        (Value::List(known), JsonValue::Array(representation))
            if known.len() == representation.len() =>
        {
            let mut pairs = known.iter().zip(representation);
            pairs.try_for_each(|(known, representation)| same(service, known, representation))
        }
        (Value::Thing(thing), JsonValue::Object(representation)) => {
            for (field, value) in representation {
                match (field.as_str(), value.as_str()) {
                    ("__typename", Some(name)) if *name == *thing.ty => {}
                    ("__typename", name) => {
                        return Err(format!("is a {}, not a {name:?}", thing.ty));
                    }
                    (field, _) => agrees(service, (thing, &thing.ty), field, value)?,
                }
            }
            Ok(())
        }
        _ => Err(format!("is not {known:?}")),
    }
}

/// The fields of a field set in a representation, in the order of the set; an error is the name of
/// the first missing one.
pub(crate) fn picked(representation: &JsonMap, picks: &[Pick]) -> Result<JsonValue, String> {
    let mut object = JsonMap::new();
    for pick in picks {
        if let Some(on) = &pick.on {
            let name = representation.get("__typename").and_then(JsonValue::as_str);
            if name.ok_or("__typename")? != &**on {
                continue;
            }
        }
        let value = representation
            .get(&*pick.field)
            .ok_or_else(|| pick.field.to_string())?;
        object.insert(&*pick.field, inner(value, &pick.inner)?);
    }
    Ok(object.into())
}

fn inner(value: &JsonValue, picks: &[Pick]) -> Result<JsonValue, String> {
    match value {
        JsonValue::Object(representation) if !picks.is_empty() => picked(representation, picks),
        JsonValue::Array(items) if !picks.is_empty() => {
            let items: Result<_, _> = items.iter().map(|item| inner(item, picks)).collect();
            Ok(JsonValue::Array(items?))
        }
        other => Ok(other.clone()),
    }
}
