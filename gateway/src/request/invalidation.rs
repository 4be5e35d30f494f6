//! The body of an invalidation: a JSON array of objects, each with a `kind`.
//!
//! Accepts the kinds of Apollo Router, and two more: `entity` and `all`.

use resolvers::cache::{EntityKey, Target};
use resolvers::invalidation::Names;
use serde_json::{Map, Value};

/// The targets in `body`, or the problems of its elements.
pub(crate) fn read_targets(body: &[u8], names: &Names) -> Result<Vec<Target>, Vec<String>> {
    let elements = match serde_json::from_slice(body) {
        Ok(Value::Array(elements)) => elements,
        Ok(_) => return Err(vec!["the body must be a JSON array".to_owned()]),
        Err(error) => return Err(vec![format!("the body is not JSON: {error}")]),
    };
    let (mut targets, mut problems) = (Vec::new(), Vec::new());
    for (index, element) in elements.into_iter().enumerate() {
        match read_element(element, names) {
            Ok(resolved) => targets.extend(resolved),
            Err(problem) => problems.push(format!("element {}: {problem}", index + 1)),
        }
    }
    problems.truncate(MAX_PROBLEMS);
    if problems.is_empty() {
        Ok(targets)
    } else {
        Err(problems)
    }
}

fn read_element(element: Value, names: &Names) -> Result<Vec<Target>, String> {
    let Value::Object(members) = element else {
        return Err("it must be an object".to_owned());
    };
    let mut element = Element { members, names };
    let targets = match element.take_text("kind")?.as_str() {
        "all" => vec![Target::Everything],
        "subgraph" => element.read_target(|it| it.take_text("subgraph").map(Target::Subgraph))?,
        "type" => {
            element.check_subgraph()?;
            element.read_target(|it| it.take_text("type").map(Target::Type))?
        }
        "entity" => {
            element.check_subgraph()?;
            element.read_target(|it| {
                let type_name = it.take_text("type")?;
                let key = it.take_key()?;
                Ok(Target::Entity { type_name, key })
            })?
        }
        "cache_tag" => {
            element.check_subgraphs()?;
            element.read_target(|it| it.take_text("cache_tag").map(Target::Named))?
        }
        other => {
            return Err(format!(
                "unknown kind `{other}`; write `all`, `subgraph`, `type`, `entity` or `cache_tag`"
            ));
        }
    };
    match element.members.keys().next() {
        Some(name) => Err(format!("unknown member `{name}` for its kind")),
        None => Ok(targets),
    }
}

/// The remaining members of an element.
struct Element<'n> {
    members: Map<String, Value>,
    names: &'n Names,
}

impl Element<'_> {
    fn read_target(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Target, String>,
    ) -> Result<Vec<Target>, String> {
        let target = read(self)?;
        self.names
            .resolve(target)
            .map_err(|unknown| unknown.to_string())
    }

    fn take_text(&mut self, name: &str) -> Result<String, String> {
        match self.members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(_) => Err(format!("`{name}` must be a non-empty string")),
            None => Err(format!("`{name}` is missing")),
        }
    }

    fn take_key(&mut self) -> Result<EntityKey, String> {
        let Some(key) = self.members.remove("key") else {
            return Err("`key` is missing".to_owned());
        };
        EntityKey::from_json(&key.to_string())
            .ok_or_else(|| "`key` must be an object with the fields of the key".to_owned())
    }

    /// Checks the subgraph's name, which has no other effect: values of a type or a tag from other
    /// subgraphs are the same data, so they are invalidated too.
    fn check_subgraph(&mut self) -> Result<(), String> {
        if !self.members.contains_key("subgraph") {
            return Ok(());
        }
        let name = self.take_text("subgraph")?;
        self.names
            .subgraph(&name)
            .map_err(|unknown| unknown.to_string())
    }

    fn check_subgraphs(&mut self) -> Result<(), String> {
        let subgraphs = match self.members.remove("subgraphs") {
            None => return Ok(()),
            Some(Value::Array(subgraphs)) => subgraphs,
            Some(_) => return Err("`subgraphs` must be a list of names".to_owned()),
        };
        for name in subgraphs {
            let Value::String(name) = name else {
                return Err("`subgraphs` must be a list of names".to_owned());
            };
            let known = self.names.subgraph(&name);
            known.map_err(|unknown| unknown.to_string())?;
        }
        Ok(())
    }
}

/// Maximum number of reported problems.
const MAX_PROBLEMS: usize = 20;
