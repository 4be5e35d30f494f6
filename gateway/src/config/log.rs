//! `log`: format, level and bounds of the log.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::raw::Text;
use super::reader::Reader;
use super::setting::Setting;

/// Format, level and bounds of the log.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// Format of a line.
    pub format: LogFormat,
    /// Least severe level that is logged.
    pub level: LogLevel,
    /// Maximum characters of a text in a line that comes from a client or a service.
    pub field_length: NonZeroUsize,
    /// Maximum number of lines about failed calls of one request; a last line counts the others.
    pub failures: NonZeroUsize,
}

/// Format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line, for machines.
    Json,
}

/// Least severe level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Problems that require action.
    Error,
    /// Problems that may require action.
    Warn,
    /// One line per request.
    Info,
    /// Internal events of Weir.
    Debug,
    /// Internal events of Weir and its libraries.
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
    /// Least severe level that is logged: `error`, `warn`, `info` (one line per request), `debug` or `trace`.
    #[schemars(extend("default" = LEVEL.to_text()))]
    level: Option<Text<LogLevel>>,
    /// Maximum characters of a text that comes from a client or a service, such as the name of an operation; a longer one is cut.
    #[schemars(extend("default" = FIELD_LENGTH.to_text()))]
    field_length: Option<Text<NonZeroUsize>>,
    /// Maximum lines about failed calls of one request. Equal errors share a line, and a last line counts the calls without one.
    #[schemars(extend("default" = FAILURES.to_text()))]
    failures: Option<Text<NonZeroUsize>>,
}

impl RawLog {
    pub(super) fn check(self, reader: &mut Reader<'_>) -> Log {
        Log {
            format: reader.value_or(self.format, FORMAT),
            level: reader.value_or(self.level, LEVEL),
            field_length: reader.value_or(self.field_length, FIELD_LENGTH),
            failures: reader.value_or(self.failures, FAILURES),
        }
    }
}

/// Default format: Weir was started in a terminal; deployments set `json`.
const FORMAT: LogFormat = LogFormat::Text;

/// Default level: an access log is expected of a server.
const LEVEL: LogLevel = LogLevel::Info;

/// Default maximum characters of a text: errors of connections with their URLs fit.
const FIELD_LENGTH: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Default maximum lines about failed calls: enough to see which services fail, and how.
const FAILURES: NonZeroUsize = NonZeroUsize::new(10).unwrap();

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
    const EXPECTED: &'static str = "a log format";
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
    const EXPECTED: &'static str = "a log level";
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
    let entry = table.iter().find(|(_, known)| known == value);
    entry.map_or("", |(name, _)| name)
}

fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(name, _)| *name).collect()
}
