//! `admin`: the admin socket, and which clients may request a trace.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::raw::Text;
use super::reader::Reader;
use super::secret::Secret;
use super::setting::Setting;

/// The admin socket and access to traces.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The admin socket; `None` if not configured.
    pub socket: Option<Socket>,
    /// Which clients may request a trace.
    pub trace_access: TraceAccess,
}

/// The admin socket, separate so that a firewall can keep clients away from it.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Address and port.
    pub address: SocketAddr,
    /// The key that requests with side effects must send.
    pub key: Secret<String>,
}

/// Which clients may request a trace of their operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceAccess {
    /// No client.
    Disabled,
    /// Every client: for development.
    Everyone,
    /// Clients that send one of these keys.
    Keys(Vec<Secret<String>>),
}

/// `admin` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawAdmin {
    /// Address and port of the admin socket, separate from the socket for clients. Default: no admin socket.
    address: Option<Text<SocketAddr>>,
    /// Key that requests with side effects send as `authorization`. Required with `address`.
    key: Option<Text<Key>>,
    /// Which clients may request a trace of their operation: `nobody` or `everybody`.
    #[schemars(extend("default" = DEFAULT_AUDIENCE.to_text()))]
    explain: Option<Text<Audience>>,
    /// Keys that permit a trace: a client sends one of them as `weir-explain`. Replaces `explain`.
    explain_keys: Option<Vec<Text<Key>>>,
}

/// Checks the section `admin`.
pub(super) fn check(raw: RawAdmin, reader: &mut Reader<'_>) -> Admin {
    let trace_access = trace_access(raw.explain, raw.explain_keys, reader);
    Admin {
        socket: socket(raw.address, raw.key, reader),
        trace_access,
    }
}

fn socket(
    address: Option<Text<SocketAddr>>,
    key: Option<Text<Key>>,
    reader: &mut Reader<'_>,
) -> Option<Socket> {
    if let (None, Some(key)) = (&address, &key) {
        let message = "`admin.key` has no effect without `admin.address`";
        let help = "set `admin.address`, such as `127.0.0.1:4001`".to_owned();
        reader.report_invalid(key.location(), message, help);
    }
    if let (Some(address), None) = (&address, &key) {
        let message = "the admin socket has no key";
        let help = "set `admin.key`, such as `key: ${WEIR_ADMIN_KEY}`".to_owned();
        reader.report_invalid(address.location(), message, help);
    }
    // Both are read before the first failure is looked at, so that both are checked.
    let key = key.and_then(|key| reader.value(&key));
    let address = address.and_then(|address| reader.value(&address));
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
        let message = "`explain` and `explain_keys` exclude each other";
        let help = "remove one of the two".to_owned();
        reader.report_invalid(audience.location(), message, help);
    }
    let keys = keys.iter().filter_map(|key| reader.value(key));
    TraceAccess::Keys(keys.map(|key| key.0).collect())
}

/// A secret that fits into a header.
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

/// Default value of `explain`: traces contain names, keys and addresses of sources.
const DEFAULT_AUDIENCE: Audience = Audience::Disabled;

/// Minimum bytes of a key: shorter ones can be guessed at a few million tries a second.
const MIN_KEY_BYTES: usize = 16;
