//! GraphiQL in a headless Chromium without a network; the steps are in `tests/browser`.
//!
//! Needs Node, Chromium, the npm packages of `tests/browser` and a binary that contains GraphiQL;
//! see `node` for what happens without them.

use std::path::Path;
use std::time::Duration;

use crate::client::exchange;
use crate::node::{self, Scripts};
use crate::running::Running;

#[tokio::test]
async fn a_user_types_a_query_runs_it_and_reads_the_docs() {
    let shop = mocks::Shop::start().await.unwrap();
    let gateway = Running::before(&shop).await;
    if let Some(missing) = missing(&gateway).await {
        return node::skip(&missing);
    }

    let url = format!("http://{}/", gateway.address);
    BROWSER.run("graphiql.mjs", &url, PATIENCE).await;

    shop.stop().await;
}

const BROWSER: Scripts = Scripts {
    folder: "browser",
    package: "playwright-core",
};

/// Maximum time for two visits of a few seconds each, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

async fn missing(gateway: &Running) -> Option<String> {
    if let Some(missing) = BROWSER.missing().await {
        return Some(missing);
    }
    let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    if !Path::new(&chromium).exists() {
        return Some(format!("no browser at {}", Path::new(&chromium).display()));
    }
    let page = exchange(gateway.address, "GET /", &[("accept", "text/html")], "").await;
    if page.header("content-encoding").is_none() {
        return Some("this binary has no GraphiQL: run `make ui` and build again".to_owned());
    }
    None
}
