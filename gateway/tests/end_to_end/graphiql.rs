//! GraphiQL in a headless Chromium without a network; the steps are in `tests/browser`.
//!
//! Needs Node, Chromium, the npm packages of `tests/browser` and a binary with the page in it.
//! Where one is missing the test says so and passes, unless `WEIR_REQUIRE_BROWSER` is set, as
//! `make test` does after it has installed them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::client::ask;
use crate::running::Running;

#[tokio::test]
async fn a_person_types_a_query_runs_it_and_reads_the_docs() {
    let shop = mocks::Shop::start().await.unwrap();
    let gateway = Running::before(&shop).await;
    if let Some(missing) = missing(&gateway).await {
        let is_required = std::env::var_os("WEIR_REQUIRE_BROWSER").is_some();
        assert!(!is_required, "{missing}");
        let _ = writeln!(std::io::stderr(), "skipped: {missing}");
        return;
    }

    let visit = Command::new("node")
        .arg("graphiql.mjs")
        .arg(format!("http://{}/", gateway.address))
        .current_dir(folder())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, visit)
        .await
        .expect("the visit ends")
        .unwrap();

    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    shop.stop().await;
}

/// Two visits of a few seconds each, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(2);

async fn missing(gateway: &Running) -> Option<String> {
    if !folder().join("node_modules/playwright-core").exists() {
        return Some(
            "playwright-core is not installed: run `npm ci` in gateway/tests/browser".to_owned(),
        );
    }
    let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    if !Path::new(&chromium).exists() {
        return Some(format!(
            "there is no browser at {}",
            Path::new(&chromium).display()
        ));
    }
    if Command::new("node")
        .arg("--version")
        .output()
        .await
        .is_err()
    {
        return Some("there is no `node`".to_owned());
    }
    let page = ask(gateway.address, "GET /", &[("accept", "text/html")], "").await;
    if page.header("content-encoding").is_none() {
        return Some("this binary has no page: run `make ui` and build again".to_owned());
    }
    None
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}
