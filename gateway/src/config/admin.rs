//! `admin`: a socket for operators, and who may be told what was done for an answer.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::raw::Text;
use super::reader::Reader;
use super::secret::Secret;
use super::setting::Setting;

/// What operators can do while a gateway runs.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Where they do it; `None` is nowhere.
    pub socket: Option<Socket>,
    /// Who may be told what was done for an answer.
    pub trace_access: TraceAccess,
}

/// A socket of its own, so that it can be out of the reach of clients.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Its address.
    pub address: SocketAddr,
    /// What those must know who change something.
    pub key: Secret<String>,
}

/// Who may be told what was done for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceAccess {
    /// Nobody.
    Disabled,
    /// Whoever asks: for development.
    Everyone,
    /// Who sends one of these.
    Keys(Vec<Secret<String>>),
}

/// `admin` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawAdmin {
    /// The address and port of the socket for operators, apart from that of clients. Default: there is none.
    address: Option<Text<SocketAddr>>,
    /// What requests that change something send as `authorization`. Required with `address`.
    key: Option<Text<Key>>,
    /// Who may ask for an account of what was done for an answer: `nobody` or `everybody`.
    #[schemars(extend("default" = DEFAULT_AUDIENCE.to_text()))]
    explain: Option<Text<Audience>>,
    /// Keys, one of which a client sends as `weir-explain` to be told; in place of `explain`.
    explain_keys: Option<Vec<Text<Key>>>,
}

/// The checked form of `written`.
pub(super) fn check(written: RawAdmin, reader: &mut Reader<'_>) -> Admin {
    let trace_access = trace_access(written.explain, written.explain_keys, reader);
    Admin {
        socket: socket(written.address, written.key, reader),
        trace_access,
    }
}

fn socket(
    address: Option<Text<SocketAddr>>,
    key: Option<Text<Key>>,
    reader: &mut Reader<'_>,
) -> Option<Socket> {
    let key = key.map(|key| (key.location(), reader.value(&key)));
    let (address, key) = match (address, key) {
        (None, None) => return None,
        (None, Some((at, _))) => {
            let message = "this key opens nothing, because there is no `address`";
            let help = "write the socket's address too, such as `127.0.0.1:4001`".to_owned();
            reader.report_invalid(at, message, help);
            return None;
        }
        (Some(address), None) => {
            let message = "operators must show a key, and there is none";
            let help = "write `key: ${WEIR_ADMIN_KEY}`".to_owned();
            reader.report_invalid(address.location(), message, help);
            reader.value(&address);
            return None;
        }
        (Some(address), Some((_, key))) => (reader.value(&address), key),
    };
    Some(Socket {
        address: address?,
        key: key?.0,
    })
}

fn trace_access(
    audience: Option<Text<Audience>>,
    keys: Option<Vec<Text<Key>>>,
    reader: &mut Reader<'_>,
) -> TraceAccess {
    let Some(keys) = keys else {
        return match reader.value_or(audience, DEFAULT_AUDIENCE) {
            Audience::Disabled => TraceAccess::Disabled,
            Audience::Everyone => TraceAccess::Everyone,
        };
    };
    if let Some(audience) = audience {
        let message = "who may be told is said twice";
        let help = "keep one of `explain` and `explain_keys`".to_owned();
        reader.report_invalid(audience.location(), message, help);
    }
    let keys = keys.iter().filter_map(|key| reader.value(key));
    TraceAccess::Keys(keys.map(|key| key.0).collect())
}

/// Something that is known to few, and can be sent in a header.
struct Key(Secret<String>);

impl Setting for Key {
    const EXPECTED: &'static str = "a key that cannot be guessed";
    const EXAMPLE: &'static str =
        "16 characters or more, printable and without spaces, such as `${WEIR_ADMIN_KEY}`";

    fn parse(text: &str) -> Option<Self> {
        let is_usable = text.len() >= MIN_KEY_BYTES && text.bytes().all(|it| it.is_ascii_graphic());
        is_usable.then(|| Self(Secret::new(text.to_owned())))
    }

    fn to_text(&self) -> String {
        self.0.reveal().clone()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Disabled,
    Everyone,
}

impl Setting for Audience {
    const EXPECTED: &'static str = "an audience";
    const EXAMPLE: &'static str = "`nobody` or `everybody`, or keys as `explain_keys`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "nobody" => Some(Self::Disabled),
            "everybody" => Some(Self::Everyone),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Disabled => "nobody".to_owned(),
            Self::Everyone => "everybody".to_owned(),
        }
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "enum": ["nobody", "everybody"] })
    }
}

/// Names of sources, keys and addresses are not for strangers.
const DEFAULT_AUDIENCE: Audience = Audience::Disabled;

/// With fewer, a few million guesses a second find it.
const MIN_KEY_BYTES: usize = 16;
