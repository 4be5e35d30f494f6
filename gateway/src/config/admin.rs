//! `admin`: a socket for operators, and who may be told what was done for an answer.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reader::Reader;
use super::secret::Secret;
use super::setting::Setting;
use super::written::Text;

/// What operators can do while a gateway runs.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Where they do it; `None` is nowhere.
    pub socket: Option<Socket>,
    /// Who may be told what was done for an answer.
    pub explain: Explain,
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
pub enum Explain {
    /// Nobody.
    Nobody,
    /// Whoever asks: for development.
    Everybody,
    /// Who sends one of these.
    Keys(Vec<Secret<String>>),
}

/// `admin` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct Written {
    /// The address and port of the socket for operators, apart from that of clients. Default: there is none.
    address: Option<Text<SocketAddr>>,
    /// What requests that change something send as `authorization`. Required with `address`.
    key: Option<Text<Key>>,
    /// Who may ask for an account of what was done for an answer: `nobody` or `everybody`.
    #[schemars(extend("default" = AUDIENCE.written()))]
    explain: Option<Text<Audience>>,
    /// Keys, one of which a client sends as `weir-explain` to be told; in place of `explain`.
    explain_keys: Option<Vec<Text<Key>>>,
}

/// The checked form of `written`.
pub(super) fn check(written: Written, reader: &mut Reader<'_>) -> Admin {
    let explain = explain(written.explain, written.explain_keys, reader);
    Admin {
        socket: socket(written.address, written.key, reader),
        explain,
    }
}

fn socket(
    address: Option<Text<SocketAddr>>,
    key: Option<Text<Key>>,
    reader: &mut Reader<'_>,
) -> Option<Socket> {
    let key = key.map(|key| (key.at(), reader.value(&key)));
    let (address, key) = match (address, key) {
        (None, None) => return None,
        (None, Some((at, _))) => {
            let message = "this key opens nothing, because there is no `address`";
            let help = "write the socket's address too, such as `127.0.0.1:4001`".to_owned();
            reader.refuse(at, message, help);
            return None;
        }
        (Some(address), None) => {
            let message = "operators must show a key, and there is none";
            let help = "write `key: ${WEIR_ADMIN_KEY}`".to_owned();
            reader.refuse(address.at(), message, help);
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

fn explain(
    audience: Option<Text<Audience>>,
    keys: Option<Vec<Text<Key>>>,
    reader: &mut Reader<'_>,
) -> Explain {
    let Some(keys) = keys else {
        return match reader.or(audience, AUDIENCE) {
            Audience::Nobody => Explain::Nobody,
            Audience::Everybody => Explain::Everybody,
        };
    };
    if let Some(audience) = audience {
        let message = "who may be told is said twice";
        let help = "keep one of `explain` and `explain_keys`".to_owned();
        reader.refuse(audience.at(), message, help);
    }
    let keys = keys.iter().filter_map(|key| reader.value(key));
    Explain::Keys(keys.map(|key| key.0).collect())
}

/// Something that is known to few, and can be sent in a header.
struct Key(Secret<String>);

impl Setting for Key {
    const EXPECTED: &'static str = "a key that cannot be guessed";
    const EXAMPLE: &'static str =
        "16 characters or more, printable and without spaces, such as `${WEIR_ADMIN_KEY}`";

    fn parse(text: &str) -> Option<Self> {
        let is_usable = text.len() >= SHORTEST_KEY && text.bytes().all(|it| it.is_ascii_graphic());
        is_usable.then(|| Self(Secret::new(text.to_owned())))
    }

    fn written(&self) -> String {
        self.0.reveal().clone()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Nobody,
    Everybody,
}

impl Setting for Audience {
    const EXPECTED: &'static str = "an audience";
    const EXAMPLE: &'static str = "`nobody` or `everybody`, or keys as `explain_keys`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "nobody" => Some(Self::Nobody),
            "everybody" => Some(Self::Everybody),
            _ => None,
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Everybody => "everybody".to_owned(),
        }
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "enum": ["nobody", "everybody"] })
    }
}

/// Names of sources, keys and addresses are not for strangers.
const AUDIENCE: Audience = Audience::Nobody;

/// With fewer, a few million guesses a second find it.
const SHORTEST_KEY: usize = 16;
