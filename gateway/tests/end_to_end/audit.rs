//! The published audit of GraphQL over HTTP, run by the script in `tests/audit`.
//!
//! Needs Node and the npm packages of `tests/audit`; see `node` for what happens without them.

use std::time::Duration;

use crate::node::{self, Scripts};
use crate::running::Running;

#[tokio::test]
async fn every_must_should_and_may_of_the_audit_passes() {
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

/// Maximum time for Node to start and send sixty requests, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
