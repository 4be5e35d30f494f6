//! Invalid configurations and their diagnostics: `config/<name>.yaml` and `config/<name>.txt`.
//!
//! `WEIR_BLESS=1` writes the `.txt` files and the generated documents instead of comparing them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use gateway::config::admin::TraceAccess;
use gateway::config::cache::CacheMode;
use gateway::config::cache::redis::Topology;
use gateway::config::connectors::{Reports, Source};
use gateway::config::expand::Environment;
use gateway::config::graph::{GraphFiles, Introspection};
use gateway::config::listen::Playground;
use gateway::config::secret::Secret;
use gateway::config::{Config, docs};
use schema::span::Document;

#[test]
fn all_problems_of_a_broken_configuration_are_reported() {
    let mut cases = 0;
    for path in files("config") {
        let (config, text) = described(&path);
        assert!(config.is_none(), "{} is not broken", path.display());
        compare(&path.with_extension("txt"), &text);
        cases += 1;
    }
    assert!(cases >= 5, "only {cases} cases were found");
}

#[test]
fn a_configuration_with_warnings_is_usable() {
    let mut cases = 0;
    for path in files("config/doubtful") {
        let (config, text) = described(&path);
        assert!(config.is_some(), "{} is broken", path.display());
        compare(&path.with_extension("txt"), &text);
        cases += 1;
    }
    assert!(cases >= 1, "no case was found");
}

#[test]
fn deprecated_keys_are_read_as_their_replacements() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/doubtful");
    let (config, _) = described(&path.join("older_spellings.yaml"));
    let connectors = config.unwrap().connectors;

    assert_eq!(connectors.max_calls.get(), 100);
    let users = &connectors.sources["users.api"];
    let orders = &connectors.sources["orders.api"];
    let url = |source: &Source| source.url.clone().map(String::from);
    assert_eq!(url(users).as_deref(), Some("http://127.0.0.1:5001/"));
    assert_eq!(url(orders).as_deref(), Some("http://127.0.0.1:5003/"));
    assert_eq!(users.max_calls.unwrap().get(), 50);
    assert_eq!(orders.max_calls.unwrap().get(), 10);
    assert_eq!(orders.config.reveal()["tenant"], "three");
    assert_eq!(connectors.subgraphs["users"].reveal()["tenant"], "two");
    assert!(!connectors.subgraphs.contains_key("orders"));
}

#[test]
fn the_configuration_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    compare(&path, &docs::markdown());
}

#[test]
fn keys_that_are_not_set_have_their_defaults() {
    let config = read(
        "listen: { address: '0.0.0.0:${PORT:8080}', playground: false }
graph: { subgraphs: { users: { schema: a/users.graphql } }, introspection: '${INTROSPECT}' }
connectors:
  calls_per_operation: 100
  reports: true
  sources:
    users.api:
      url: http://${USERS_HOST}/v1
      timeout: 1500ms
      calls_per_operation: 5
      headers: { Authorization: 'Bearer ${TOKEN}' }
      $config: { tenant: '${USERS_HOST}', limits: [1, 2.5, true, null] }
log: { format: json }
",
    );

    assert_eq!(config.listen.address.to_string(), "0.0.0.0:8080");
    assert_eq!(config.listen.playground, Playground::Hide);
    assert_eq!(config.graph.introspection, Introspection::Refuse);
    assert_eq!(
        config.graph.subgraphs()[0].file.path,
        PathBuf::from("a/users.graphql")
    );
    let source = &config.connectors.sources["users.api"];
    assert_eq!(
        source.url.as_ref().unwrap().as_str(),
        "http://users.example.com/v1"
    );
    assert_eq!(source.timeout.unwrap().as_millis(), 1500);
    assert_eq!(source.max_calls.unwrap().get(), 5);
    assert_eq!(config.connectors.max_calls.get(), 100);
    assert_eq!(config.connectors.reports, Reports::Show);
    assert_eq!(source.headers[0].1, "Bearer hunter2");
    let expected =
        serde_json::json!({ "tenant": "users.example.com", "limits": [1, 2.5, true, null] });
    assert_eq!(*source.config.reveal(), expected);
    assert_eq!(config.limits.depth, Config::without_file().limits.depth);
}

#[test]
fn plain_scalars_have_the_types_of_yaml_1_2() {
    let config = read(
        "graph: { subgraphs: { users: { schema: users.graphql } } }
connectors:
  sources:
    users.api:
      $config:
        texts: [NO, no, yes, Yes, on, off, Off, y, n, 1_000, 1_0.5, 0123, 2026-11-30, 12:30:45, 1.2.3, '0o17', Null-ish]
        booleans: [true, True, FALSE, false]
        numbers: [0o17, 0x1F, -12, +3, 1e3, .5, 0]
        nulls: [~, null, Null]
        NO: a key
",
    );

    let expected = serde_json::json!({
        "texts": [
            "NO", "no", "yes", "Yes", "on", "off", "Off", "y", "n", "1_000", "1_0.5", "0123", "2026-11-30", "12:30:45",
            "1.2.3", "0o17", "Null-ish",
        ],
        "booleans": [true, true, false, false],
        "numbers": [15, 31, -12, 3, 1000.0, 0.5, 0],
        "nulls": [null, null, null],
        "NO": "a key",
    });
    let source = &config.connectors.sources["users.api"];
    assert_eq!(*source.config.reveal(), expected);
}

#[test]
fn subgraph_urls_headers_and_timeouts_are_read() {
    let of_subgraphs = read(
        "graph:
  subgraphs:
    users: { schema: users.graphql }
    reviews: { schema: reviews.graphql, url: 'http://${USERS_HOST}/graphql' }
services:
  reviews:
    headers: { Authorization: 'Bearer ${TOKEN}' }
    forward_headers: [X-Request-Id, '${HEADER:accept-language}', x-request-id]
    timeout: 2s
",
    );
    let of_supergraph = read(
        "graph: { supergraph: super.graphql }
services: { reviews: { url: 'https://${USERS_HOST}/graphql' } }
",
    );

    let [users, reviews] = of_subgraphs.graph.subgraphs() else {
        panic!("{:?}", of_subgraphs.graph);
    };
    assert_eq!(users.url, None);
    let url = reviews.url.as_ref().unwrap().as_str();
    assert_eq!(url, "http://users.example.com/graphql");
    let service = &of_subgraphs.services.0["reviews"];
    assert_eq!(service.url, None);
    assert_eq!(service.headers[0].1, "Bearer hunter2");
    assert_eq!(service.forward_headers, ["x-request-id", "accept-language"]);
    assert_eq!(service.timeout.unwrap().as_secs(), 2);
    let GraphFiles::Supergraph(file) = &of_supergraph.graph.files else {
        panic!("{:?}", of_supergraph.graph);
    };
    assert_eq!(file.path, PathBuf::from("super.graphql"));
    let url = of_supergraph.services.0["reviews"].url.as_ref().unwrap();
    assert_eq!(url.as_str(), "https://users.example.com/graphql");
}

#[test]
fn cache_levels_and_lifetimes_are_read() {
    let graph = "graph: { subgraphs: { users: { schema: users.graphql } } }\n";
    let text = "cache:
  memory: 1GiB
  redis: { url: 'rediss://weir@${USERS_HOST}/2', password: 'a%41/${TOKEN}@', timeout: 5ms }
  lifetime: { default: 1m, max: 1h, stale: 30s }
  subgraphs:
    users: { enabled: false, lifetime: { max: 10s, negative: 1s } }
  caller_headers: [X-User, x-user]
";
    let cache = read(&(graph.to_owned() + text)).cache;

    assert_eq!(cache.memory_bytes.get(), 1 << 30);
    let redis = cache.redis.unwrap();
    let Topology::Single(url) = &redis.topology else {
        panic!("{:?}", redis.topology);
    };
    assert_eq!(
        url.reveal(),
        "rediss://weir:a%2541%2Fhunter2%40@users.example.com/2"
    );
    assert_eq!(redis.timeout.as_millis(), 5);
    assert_eq!(redis.prefix, "weir");
    assert!(redis.events.is_none());
    let users = &cache.subgraphs["users"];
    assert_eq!(users.mode, CacheMode::Disabled);
    // Keys that the subgraph does not set have the values of `cache.lifetime`, capped by its own maximum.
    assert_eq!(users.lifetime.default.as_secs(), 10);
    assert_eq!(users.lifetime.stale_while_revalidate.as_secs(), 10);
    assert_eq!(users.lifetime.negative.as_secs(), 1);
    assert_eq!(cache.lifetime.default.as_secs(), 60);
    assert_eq!(cache.caller_headers, ["x-user"]);
}

#[test]
fn redis_may_be_behind_sentinels_or_a_cluster() {
    let graph = "graph: { subgraphs: { users: { schema: users.graphql } } }\n";
    let place = |redis: &str| {
        let redis = format!("{graph}cache: {{ redis: {redis} }}");
        read(&redis).cache.redis.unwrap().topology
    };
    let revealed = |nodes: &[Secret<String>]| -> Vec<String> {
        nodes.iter().map(|node| node.reveal().clone()).collect()
    };

    let text =
        "{ sentinel: { nodes: ['redis://${USERS_HOST}:26379'], master: shop }, password: x }";
    let sentinel = place(text);
    let cluster = place("{ cluster: ['redis://127.0.0.1:7000', 'redis://127.0.0.1:7001'] }");

    let Topology::Sentinel {
        nodes,
        master,
        server,
    } = sentinel
    else {
        panic!("{sentinel:?}");
    };
    assert_eq!(revealed(&nodes), ["redis://users.example.com:26379"]);
    assert_eq!(master, "shop");
    assert_eq!(server.unwrap().reveal(), "redis://:x@server");
    let Topology::Cluster(nodes) = cluster else {
        panic!("{cluster:?}");
    };
    let expected = ["redis://127.0.0.1:7000", "redis://127.0.0.1:7001"];
    assert_eq!(revealed(&nodes), expected);
}

#[test]
fn an_admin_socket_has_a_key_and_traces_are_opt_in() {
    let graph = "graph: { subgraphs: { users: { schema: users.graphql } } }\n";
    let admin = |text: &str| read(&format!("{graph}admin: {text}")).admin;

    let nothing = admin("{}");
    assert!(nothing.socket.is_none());
    assert_eq!(nothing.trace_access, TraceAccess::Disabled);
    let admin = admin(
        "{ address: '127.0.0.1:4001', key: '0123456789${TOKEN}', explain_keys: ['fedcba9876543210'] }",
    );
    let socket = admin.socket.unwrap();
    assert_eq!(socket.address.to_string(), "127.0.0.1:4001");
    assert_eq!(socket.key.reveal(), "0123456789hunter2");
    let key = Secret::new("fedcba9876543210".to_owned());
    assert_eq!(admin.trace_access, TraceAccess::Keys(vec![key]));
    let graph = read(&format!("{graph}admin: {{ explain: everybody }}"));
    assert_eq!(graph.admin.trace_access, TraceAccess::Everyone);
}

#[test]
fn secrets_are_in_no_debug_output_and_in_no_diagnostic() {
    let text = "graph: { subgraphs: { users: { schema: users.graphql } } }
connectors: { sources: { users.api: { headers: { authorization: '${TOKEN}' }, $config: { key: '${TOKEN}' } } } }
services: { users: { headers: { authorization: '${TOKEN}' } } }
cache: { redis: { url: 'redis://user:${TOKEN}@127.0.0.1' } }
admin: { address: '127.0.0.1:4001', key: '0123456789${TOKEN}', explain_keys: ['${TOKEN}9876543210'] }
";
    let debug = format!("{:?}", read(text));
    let document = Document::new("weir.yaml", "listen: { address: '${TOKEN}' }");
    let (_, diagnostics) = Config::read(&document, &environment());

    assert!(!debug.contains("hunter2"), "{debug}");
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert!(
        !format!("{diagnostics:?}").contains("hunter2"),
        "{diagnostics:?}"
    );
}

#[test]
fn every_default_in_the_schema_is_the_default_of_an_empty_file() {
    // A file with every default written out must equal one without any.
    let schema = docs::json_schema();
    let sections = schema["properties"].as_object().unwrap();
    let mut text = "graph: { subgraphs: { users: { schema: users.graphql } } }\n".to_owned();
    for (name, section) in sections.iter().filter(|(name, _)| *name != "graph") {
        let _ = write!(text, "{name}:\n  {{");
        for (key, value) in section["properties"].as_object().into_iter().flatten() {
            if let Some(default) = value["default"].as_str() {
                let _ = write!(text, "{key}: '{default}', ");
            }
        }
        text.push_str("}\n");
    }

    let bare = read("graph: { subgraphs: { users: { schema: users.graphql } } }\n");
    let full = read(&text);

    assert_eq!(format!("{:?}", full.listen), format!("{:?}", bare.listen));
    assert_eq!(format!("{:?}", full.limits), format!("{:?}", bare.limits));
    assert_eq!(
        format!("{:?}", full.connectors),
        format!("{:?}", bare.connectors)
    );
    assert_eq!(
        format!("{:?}", full.services),
        format!("{:?}", bare.services)
    );
    assert_eq!(format!("{:?}", full.cache), format!("{:?}", bare.cache));
    assert_eq!(format!("{:?}", full.admin), format!("{:?}", bare.admin));
    assert_eq!(format!("{:?}", full.log), format!("{:?}", bare.log));
    assert_eq!(
        format!("{:?}", full.shutdown),
        format!("{:?}", bare.shutdown)
    );
}

#[test]
fn hostile_files_are_rejected() {
    let deep = "[".repeat(100_000);
    let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        text + &format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)
    });
    for text in [
        deep.as_str(),
        bomb.as_str(),
        "\u{0}",
        "\u{feff}",
        "&a *a",
        "? [a]: b",
        "<<: 1",
        "%YAML 9",
    ] {
        let (config, diagnostics) = Config::read(&Document::new("weir.yaml", text), &environment());
        assert!(config.is_none());
        assert!(!diagnostics.is_empty());
        for diagnostic in diagnostics {
            assert!(!diagnostic.render().is_empty());
        }
    }
}

fn read(text: &str) -> Config {
    let (config, diagnostics) = Config::read(&Document::new("weir.yaml", text), &environment());
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    config.unwrap()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect()
}

fn described(path: &Path) -> (Option<Config>, String) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let document = Document::new(name, fs::read_to_string(path).unwrap());
    let (config, diagnostics) = Config::read(&document, &environment());
    let texts: Vec<String> = diagnostics
        .iter()
        .map(|found| found.render() + "\n")
        .collect();
    (config, texts.join("\n"))
}

fn environment() -> Environment {
    let variables = BTreeMap::from([
        ("USERS_HOST", "users.example.com"),
        ("USERS_TIMEOUT", "soon"),
        ("TOKEN", "hunter2"),
        ("INTROSPECT", "false"),
    ]);
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[track_caller]
fn compare(path: &Path, actual: &str) {
    if std::env::var_os("WEIR_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, actual).expect("the file can be written");
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    let same = actual
        .lines()
        .zip(expected.lines())
        .take_while(|(new, old)| new == old)
        .count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    assert!(
        actual == expected,
        "{} is not current at line {}; `make bless` writes it\nis:     {}\nshould: {}",
        path.display(),
        same + 1,
        line(&expected),
        line(actual),
    );
}
