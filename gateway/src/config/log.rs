//! `log`: what is said while running, and in which form.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::raw::Text;
use super::reader::Reader;
use super::setting::Setting;

/// What is said while running.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// What is said.
    pub level: LogLevel,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// The least important thing that is still said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What may need one.
    Warn,
    /// A line for each request.
    Info,
    /// What Weir does.
    Debug,
    /// What its libraries do.
    Trace,
}

/// `log` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawLog {
    /// `text` for people, `json` for machines.
    #[schemars(extend("default" = FORMAT.to_text()))]
    format: Option<Text<LogFormat>>,
    /// The least important thing that is still said: `error`, `warn`, `info` (a line for each request), `debug` or `trace`.
    #[schemars(extend("default" = LEVEL.to_text()))]
    level: Option<Text<LogLevel>>,
}

impl RawLog {
    pub(super) fn check(self, reader: &mut Reader<'_>) -> Log {
        Log {
            format: reader.value_or(self.format, FORMAT),
            level: reader.value_or(self.level, LEVEL),
        }
    }
}

/// Who starts Weir by hand reads the log; who deploys it sets this.
const FORMAT: LogFormat = LogFormat::Text;

/// One line a request is what operators expect to find.
const LEVEL: LogLevel = LogLevel::Info;

const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

const LEVELS: [(&str, LogLevel); 5] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

impl LogLevel {
    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        name_of(&LEVELS, &self)
    }
}

impl Setting for LogFormat {
    const EXPECTED: &'static str = "a format of the log";
    const EXAMPLE: &'static str = "`text` or `json`";

    fn parse(text: &str) -> Option<Self> {
        value_by_name(&FORMATS, text)
    }

    fn to_text(&self) -> String {
        name_of(&FORMATS, self).to_owned()
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "enum": names(&FORMATS) })
    }
}

impl Setting for LogLevel {
    const EXPECTED: &'static str = "a level of the log";
    const EXAMPLE: &'static str = "`error`, `warn`, `info`, `debug` or `trace`";

    fn parse(text: &str) -> Option<Self> {
        value_by_name(&LEVELS, text)
    }

    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "enum": names(&LEVELS) })
    }
}

fn value_by_name<T: Copy>(table: &[(&str, T)], text: &str) -> Option<T> {
    let (_, value) = table.iter().find(|(name, _)| *name == text)?;
    Some(*value)
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    let found = table.iter().find(|(_, known)| known == value);
    found.map_or("", |(name, _)| name)
}

fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(name, _)| *name).collect()
}
