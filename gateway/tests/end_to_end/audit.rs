//! The published audit of GraphQL over HTTP; the script that runs it is in `tests/audit`.
//!
//! Needs Node and the npm packages of `tests/audit`; `node` says what happens where one is missing.

use std::time::Duration;

use crate::node::{self, Scripts};
use crate::running::Running;

#[tokio::test]
async fn every_must_should_and_may_of_the_audit_is_ok() {
    if let Some(missing) = AUDIT.missing().await {
        return node::skip(&missing);
    }
    let gateway = Running::alone(|_| {}).await;

    let url = format!("http://{}/graphql", gateway.address);
    let report = AUDIT.run("audit.mjs", &url, PATIENCE).await;

    assert!(report.ends_with("61 of 61 are ok\n"), "{report}");
}

const AUDIT: Scripts = Scripts {
    folder: "audit",
    package: "graphql-http",
};

/// Sixty requests, after a start of Node, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);
