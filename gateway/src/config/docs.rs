//! Documentation of the configuration: its JSON Schema, and `docs/configuration.md`.
//!
//! Both are generated from the types that read the file, so that they cannot disagree with them.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::{RawConfig, shape};

/// The JSON Schema of the configuration file, for editors and for the shape check.
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
            Some(entry) => write_rows(&format!("{name}.<name>"), entry, &mut page),
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

The configuration is one YAML file: `weir.yaml`, or the file named by `--config`. This page is generated from the types
that read it; `weir config-schema` prints the same information as a JSON Schema, for editors. `weir check` reports all
problems of a file, with line and column.

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

GraphQL subgraphs have a `url`; headers and timeouts of their requests are under `services`. A supergraph that was
composed by another tool can replace the subgraphs:

```yaml
graph: { supergraph: supergraph.graphql }
services:
  reviews: { url: \"${REVIEWS_URL}\", forward_headers: [authorization], timeout: 2s }
```

Without a file, `--supergraph FILE` or `--subgraph NAME=FILE@URL` names the graph, and every key has its default.

In any value, `${NAME}` is the environment variable `NAME`, and `${NAME:default}` has a default; `$${` stands for the
two characters `${`. Variables are expanded after YAML is parsed, so their values cannot add keys. Inside `{ … }`,
YAML requires quotes around `${NAME}`. In `$config`, an expanded value is always a string. Paths are relative to the
folder of the file. Connectors read environment variables as `$env.NAME` without any configuration, with their values
at start.
";

const DEPRECATED_KEYS: &str = "
## Deprecated keys

Configurations of other gateways may use these keys: Weir reads each as its replacement, with a warning. Setting both a
key and its replacement is an error. The `$config` of a subgraph applies to all of its sources and replaces theirs.

| key | replacement |
| --- | --- |
";

fn write_deprecated_rows(path: &str, schema: &Value, page: &mut String) {
    for (name, value) in properties(schema) {
        let path = format!("{path}.{name}");
        if let Some(instead) = value.get("x-instead").and_then(Value::as_str) {
            let _ = writeln!(page, "| `{path}` | `{instead}` |");
        }
        write_deprecated_rows(&path, value, page);
        if let Some(entry) = entry_schema(value) {
            write_deprecated_rows(&format!("{path}.<name>"), entry, page);
        }
    }
}

fn write_rows(path: &str, schema: &Value, page: &mut String) {
    for (name, value) in properties(schema).filter(|(_, value)| !shape::is_deprecated(value)) {
        let path = format!("{path}.{name}");
        if let Some(entry) = entry_schema(value) {
            write_row(&path, "mapping", value, page);
            let entry_path = format!("{path}.<name>");
            if properties(entry).next().is_none() {
                write_row(&entry_path, value_kind(entry), entry, page);
            }
            write_rows(&entry_path, entry, page);
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
    } else if pattern.contains('%') {
        "boolean or percentage"
    } else if types.contains("boolean") {
        "boolean"
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

/// The schema of the values of a mapping with arbitrary keys.
fn entry_schema(schema: &Value) -> Option<&Value> {
    let entry = schema.get("additionalProperties");
    entry.filter(|entry| entry.is_object())
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(Map::iter)
}

fn description(schema: &Value) -> &str {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default()
}
