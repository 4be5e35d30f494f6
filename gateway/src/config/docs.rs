//! The configuration described: its JSON Schema, and `docs/configuration.md`.
//!
//! Both come from the types that read the file, so they cannot say anything else.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::{RawConfig, shape};

/// The JSON Schema of the configuration file, for editors and checks.
pub fn json_schema() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings
        .into_generator()
        .into_root_schema_for::<RawConfig>()
        .into()
}

/// `docs/configuration.md`: every key with its default and its meaning.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (name, section) in properties(&json_schema()) {
        let _ = writeln!(page, "\n## `{name}`\n\n{}\n", description(section));
        page.push_str("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
        match entry_schema(section) {
            Some(each) => write_rows(&format!("{name}.<name>"), each, &mut page),
            None => write_rows(name, section, &mut page),
        }
    }
    page.push_str(DEPRECATED_KEYS);
    for (name, section) in properties(&json_schema()) {
        write_deprecated_rows(name, section, &mut page);
    }
    page
}

const INTRODUCTION: &str = "\
# Configuration

One YAML file, `weir.yaml` unless `--config` names another. This page is generated from the types that read it;
`weir config-schema` prints the same as a JSON Schema, for editors. `weir check` reports everything that is wrong with
a file, with line and column.

```yaml
graph:
  subgraphs:
    users: { schema: users.graphql }
connectors:
  sources:
    users.api:
      url: ${USERS_URL:http://127.0.0.1:5001}
      headers: { authorization: \"Bearer ${USERS_TOKEN}\" }
```

Subgraphs that speak GraphQL say where they are (`url`); how they are asked stands under `services`. A supergraph that
another tool has composed takes the place of the subgraphs:

```yaml
graph: { supergraph: supergraph.graphql }
services:
  reviews: { url: \"${REVIEWS_URL}\", forward_headers: [authorization], timeout: 2s }
```

Without a file, `--supergraph FILE` or `--subgraph NAME=FILE@URL` says what is served, and everything else is as
written here as default.

In any value, `${NAME}` is the environment variable `NAME`, and `${NAME:default}` has a default; write `$${` for the two
characters `${`. Values are replaced after the file is read, so whatever a variable holds cannot add keys; only inside
`{ … }` a `${NAME}` itself needs quotes, as YAML wants it. In `$config` what comes from a variable is text. Paths are
relative to the folder of the file. Connectors read variables as `$env.NAME`, without any configuration; the values are
those of the start.
";

const DEPRECATED_KEYS: &str = "
## Older spellings

Graphs that were written for other gateways may keep these keys: they are read as the ones beside them, with a warning
that says so. What is decided twice is refused. The `$config` of a subgraph counts for all of its sources and
replaces theirs.

| key | write |
| --- | --- |
";

fn write_deprecated_rows(path: &str, schema: &Value, page: &mut String) {
    for (name, value) in properties(schema) {
        let path = format!("{path}.{name}");
        if let Some(instead) = value.get("x-instead").and_then(Value::as_str) {
            let _ = writeln!(page, "| `{path}` | `{instead}` |");
        }
        write_deprecated_rows(&path, value, page);
        if let Some(each) = entry_schema(value) {
            write_deprecated_rows(&format!("{path}.<name>"), each, page);
        }
    }
}

fn write_rows(path: &str, schema: &Value, page: &mut String) {
    for (name, value) in properties(schema).filter(|(_, value)| !shape::is_deprecated(value)) {
        let path = format!("{path}.{name}");
        if let Some(each) = entry_schema(value) {
            write_row(&path, "mapping", value, page);
            let each_path = format!("{path}.<name>");
            if properties(each).next().is_none() {
                write_row(&each_path, value_kind(each), each, page);
            }
            write_rows(&each_path, each, page);
        } else if properties(value).next().is_some() {
            write_rows(&path, value, page);
        } else {
            write_row(&path, value_kind(value), value, page);
        }
    }
}

fn write_row(path: &str, kind: &str, schema: &Value, page: &mut String) {
    let default = schema.get("default").and_then(Value::as_str);
    let default = default.map(|text| format!("`{text}`")).unwrap_or_default();
    let meaning = description(schema);
    let _ = writeln!(page, "| `{path}` | {kind} | {default} | {meaning} |");
}

fn value_kind(schema: &Value) -> &'static str {
    let pattern = schema
        .get("pattern")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let types = schema.get("type").map(Value::to_string).unwrap_or_default();
    if pattern.contains("ms|s") {
        "duration"
    } else if pattern.contains("KiB") {
        "bytes"
    } else if types.contains("boolean") {
        "switch"
    } else if types.contains("integer") {
        "number"
    } else if types.contains("object") {
        "mapping"
    } else if types.contains("array") {
        "list"
    } else {
        "text"
    }
}

/// What each value of a mapping is whose keys are chosen by who writes it.
fn entry_schema(schema: &Value) -> Option<&Value> {
    let each = schema.get("additionalProperties");
    each.filter(|each| each.is_object())
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(Map::iter)
}

fn description(schema: &Value) -> &str {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default()
}
