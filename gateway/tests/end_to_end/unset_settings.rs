//! Values of `$config` and `$env` that are not set.

use tokio::io::AsyncReadExt as _;

use crate::commands::{Ended, Folder};

const SDL: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(
    name: "api"
    http: { baseURL: "http://{$config.host}/v1", headers: [{ name: "x-key", value: "{$env.WEIR_NOPE}" }] }
    errors: { message: "$config.texts.errors" }
  )
  @source(name: "bare", http: { baseURL: "http://127.0.0.1:1" })

type Query {
  a: Int @connect(source: "api", http: { GET: "/{$config.kee}/{$config.tenant}" }, selection: "$")
  b: Int
    @connect(
      source: "api"
      http: { GET: "/b", queryParams: "k: $config.key t: $config.texts.error o: $config.maybe? e: $env.WEIR_OTHER?" }
      selection: "$($config.default ?? $env.WEIR_DEFAULT ?? 5)"
    )
  c: Int @connect(source: "bare", http: { GET: "/c?k={$config.key}" }, selection: "$")
  d: Int @connect(http: { GET: "http://127.0.0.1:1/d?k={$config.key}&p={$env.PATH}" }, selection: "$")
}
"#;

const CONFIG: &str = "listen: { address: '127.0.0.1:0' }
graph: { subgraphs: { users: { schema: users.graphql } } }
connectors:
  sources:
    users.api:
      url: http://127.0.0.1:1
      $config: { key: k, tenant: null, texts: { error: e } }
";

/// The diagnostics of `weir check --format json`: line, message and help.
fn problems(ended: &Ended) -> Vec<String> {
    let found: serde_json::Value = serde_json::from_str(&ended.out()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let problem = |it: &serde_json::Value| {
        let line = &it["labels"][0]["line"];
        format!("{line}: {}: {}", text(&it["message"]), text(&it["help"]))
    };
    let found = found["diagnostics"].as_array().unwrap();
    found.iter().map(problem).collect()
}

#[tokio::test]
async fn values_that_are_not_set_are_warnings_with_the_nearest_name() {
    let folder = Folder::new(
        "check-unset",
        &[("weir.yaml", CONFIG), ("users.graphql", SDL)],
    );

    let ended = folder.run(&["check", "--format", "json"]).await;
    let without = folder
        .run(&[
            "check",
            "--format",
            "json",
            "--subgraph",
            "users=users.graphql",
        ])
        .await;
    let (mut served, _) = folder.serve(&["serve"]).await;
    served.kill().await.unwrap();
    let mut printed = String::new();
    let mut err = served.stderr.take().unwrap();
    err.read_to_string(&mut printed).await.unwrap();

    let unset = "6: the environment variable `WEIR_NOPE` is not set: set `WEIR_NOPE`, or add a default: \
                 `$($env.WEIR_NOPE ?? 'x')`";
    assert_eq!(
        problems(&ended),
        [
            unset,
            "12: `$config.kee` is not configured: write `$config.key`",
            "7: `$config.texts.errors` is not configured: write `$config.texts.error`",
            "19: `$config.key` is not configured: set `$config.key` in `connectors.sources.users.bare`",
            "20: `$config.key` is not configured: a connector has a `$config` only with a `source`",
        ]
    );
    assert_eq!(ended.code(), Some(0));
    // The configuration is not known.
    assert_eq!(problems(&without), [unset]);
    assert!(
        printed.contains("`$config.kee` is not configured"),
        "{printed}"
    );
}
