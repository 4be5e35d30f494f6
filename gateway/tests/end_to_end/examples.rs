//! The graphs under `examples`, each with its recorded service, as their READMEs describe.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gateway::config::Config;
use gateway::config::expand::Environment;
use mocks::Recorded;
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::exchange;
use crate::running::Running;

const NAMES: [&str; 5] = ["blog", "payments", "catalogue", "issues", "library"];

/// A running example.
pub(crate) struct Example {
    recorded: Recorded,
    gateway: Running,
}

impl Example {
    pub(crate) async fn start(name: &str) -> Self {
        let folder = examples().join(name);
        let recorded = Recorded::start(&folder.join("recorded")).await.unwrap();
        let variables = [
            (format!("{}_URL", name.to_uppercase()), recorded.url()),
            ("TOKEN".to_owned(), "sk_test_weir"),
        ];
        let environment: Environment = variables
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        let text = fs::read_to_string(folder.join("weir.yaml")).unwrap();
        let (config, diagnostics) = Config::read(&Document::new("weir.yaml", text), &environment);
        let mut config = config.unwrap_or_else(|| panic!("{diagnostics:#?}"));
        config.listen.address.set_port(0);
        let files = config.graph.subgraphs().iter();
        let subgraphs: Vec<_> = files
            .map(|subgraph| Subgraph {
                name: subgraph.name.as_str().into(),
                url: None,
                document: Document::new(
                    subgraph.file.path.display().to_string(),
                    fs::read_to_string(folder.join(&subgraph.file.path)).unwrap(),
                ),
            })
            .collect();
        let gateway = Running::serving(&config, &subgraphs, CancellationToken::new()).await;
        Self { recorded, gateway }
    }

    /// The answer to an operation, and the calls that it took.
    pub(crate) async fn execute(
        &self,
        query: &str,
        headers: &[(&str, &str)],
    ) -> (Value, Vec<String>) {
        let before = self.recorded.calls();
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        let body = json!({ "query": query }).to_string();
        let answer = exchange(self.gateway.address, "POST /graphql", &all, &body).await;
        let mut calls = self.recorded.calls();
        for call in before {
            let index = calls.iter().position(|known| *known == call).unwrap();
            calls.remove(index);
        }
        (answer.json(), calls)
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

#[tokio::test]
async fn the_blog_fetches_all_authors_of_a_page_in_one_call() {
    let blog = Example::start("blog").await;

    let query = "{ posts { title author { name city } comments { text } } }";
    let (answer, calls) = blog.execute(query, &[]).await;

    assert_eq!(
        answer,
        json!({ "data": { "posts": [
            {
                "title": "On salt",
                "author": { "name": "Noor Haddad", "city": "Leiden" },
                "comments": [{ "text": "For how long?" }],
            },
            { "title": "Low water", "author": { "name": "Ida Falk", "city": "Visby" }, "comments": [] },
            { "title": "First light", "author": { "name": "Ida Falk", "city": "Visby" }, "comments": [] },
        ] } })
    );
    let authors = calls.iter().filter(|it| it.contains("/users")).count();
    assert_eq!((calls.len(), authors), (5, 1), "{calls:?}");
    assert!(
        calls.contains(&"GET /posts?_limit=10".to_owned()),
        "{calls:?}"
    );
}

#[tokio::test]
async fn the_blog_creates_a_post_and_reports_missing_ones() {
    let blog = Example::start("blog").await;

    let publish = r#"mutation { createPost(userId: "2", title: "High water", body: "It sings.") { id author { name } } }"#;
    let (published, _) = blog.execute(publish, &[]).await;
    let todo = "{ users { name todos(completed: false) { title } albums { title } } }";
    let (todo, calls) = blog.execute(todo, &[]).await;
    let (missing, _) = blog.execute("{ post(id: 9) { title } }", &[]).await;

    let expected =
        json!({ "data": { "createPost": { "id": "4", "author": { "name": "Noor Haddad" } } } });
    assert_eq!(published, expected);
    assert_eq!(
        todo,
        json!({ "data": { "users": [
            { "name": "Ida Falk", "todos": [{ "title": "Answer Noor" }], "albums": [{ "title": "Harbours" }] },
            { "name": "Noor Haddad", "todos": [], "albums": [] },
        ] } })
    );
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert_eq!(missing["data"]["post"], Value::Null);
    assert_eq!(missing["errors"][0]["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn payments_are_sent_as_forms_with_the_token_of_the_environment() {
    let payments = Example::start("payments").await;

    let create = r#"mutation { createCustomer(input: { name: "Ida Falk", email: "ida@example.com",
        address: { street: "Quay 3", city: "Visby", country: "SE" }, tags: ["new", "vip"] }) { id name } }"#;
    let (customer, _) = payments.execute(create, &[]).await;
    let pay = r#"mutation { pay(customerId: "cus_1", amount: 1299, currency: EUR) { id status customer { name } } }"#;
    let (paid, calls) = payments
        .execute(pay, &[("idempotency-key", "tuesday")])
        .await;
    let (read, _) = payments
        .execute(r#"{ payment(id: "pay_1") { amount currency } }"#, &[])
        .await;

    let expected = json!({ "data": { "createCustomer": { "id": "cus_1", "name": "Ida Falk" } } });
    assert_eq!(customer, expected);
    assert_eq!(
        paid,
        json!({ "data": { "pay": { "id": "pay_1", "status": "PAID", "customer": { "name": "Ida Falk" } } } })
    );
    assert_eq!(calls, ["GET /v1/customers/cus_1", "POST /v1/payments"]);
    assert_eq!(
        read,
        json!({ "data": { "payment": { "amount": 1299, "currency": "EUR" } } })
    );
}

#[tokio::test]
async fn a_declined_payment_has_a_code_and_a_reason() {
    let payments = Example::start("payments").await;

    let pay = r#"mutation { pay(customerId: "cus_1", amount: 999999, currency: EUR) { id } }"#;
    let (answer, _) = payments.execute(pay, &[]).await;

    let error = &answer["errors"][0];
    assert_eq!(answer["data"]["pay"], Value::Null);
    assert_eq!(error["message"], "The card has insufficient funds.");
    assert_eq!(
        error["extensions"],
        json!({
            "code": "PAYMENT_DECLINED", "reason": "insufficient_funds", "field": "amount",
            "http": { "status": 402 },
        })
    );
}

#[tokio::test]
async fn a_page_of_payments_has_their_customers_without_further_calls() {
    let payments = Example::start("payments").await;

    let page = "{ payments(createdFrom: 1767225600) {
        hasNextPage nodes { id amount currency customer { name } metadata { key value } }
    } }";
    let (page, calls) = payments.execute(page, &[]).await;

    assert_eq!(
        page,
        json!({ "data": { "payments": { "hasNextPage": true, "nodes": [
            {
                "id": "pay_1", "amount": 1299, "currency": "EUR", "customer": { "name": "Ida Falk" },
                "metadata": [{ "key": "order", "value": "17" }, { "key": "origin", "value": "weir" }],
            },
            { "id": "pay_2", "amount": 500, "currency": "USD", "customer": null, "metadata": [] },
        ] } } })
    );
    let url = "GET /v1/payments?created%5Bgte%5D=1767225600&limit=2&expand%5B%5D=data.customer";
    assert_eq!(calls, [url]);
}

#[tokio::test]
async fn an_invoice_has_lists_in_lists_and_a_payment_is_refunded_once() {
    let payments = Example::start("payments").await;

    let invoice = r#"{ invoice(id: "inv_1") {
        total customer { name } payment { amount } lines { amount product taxes { amount rate } }
    } }"#;
    let (invoice, _) = payments.execute(invoice, &[]).await;
    let refund = r#"mutation { refund(paymentId: "pay_1", amount: 299, reason: REQUESTED) { id payment { amount } } }"#;
    let key = [("idempotency-key", "wednesday")];
    let (refunded, _) = payments.execute(refund, &key).await;
    let again = r#"mutation { refund(paymentId: "pay_1") { id } }"#;
    let (refused, _) = payments.execute(again, &[]).await;

    let lines = json!([
        { "amount": 1299, "product": "prod_1", "taxes": [{ "amount": 250, "rate": "txr_1" }] },
        { "amount": 0, "product": null, "taxes": [] },
    ]);
    assert_eq!(
        invoice,
        json!({ "data": { "invoice": {
            "total": 1549, "customer": { "name": "Ida Falk" }, "payment": { "amount": 1299 }, "lines": lines,
        } } })
    );
    assert_eq!(
        refunded,
        json!({ "data": { "refund": { "id": "re_1", "payment": { "amount": 1299 } } } })
    );
    let error = &refused["errors"][0];
    assert_eq!(refused["data"]["refund"], Value::Null);
    assert_eq!(error["extensions"]["reason"], "already_refunded");
}

#[tokio::test]
async fn issues_are_paged_by_the_link_header_and_know_their_authors() {
    let issues = Example::start("issues").await;

    let page = r#"{ repository(owner: "ida", name: "sluice") { stars issues { nextPage nodes {
        number title state author { name } labels { name } assignees { login } comments { body author { name } }
    } } } }"#;
    let (first, calls) = issues.execute(page, &[]).await;
    let (last, _) = issues
        .execute(&page.replace("issues {", "issues(page: 2) {"), &[])
        .await;
    let search = r#"{ searchIssues(query: "is:open lock") { totalCount nodes { number repository { stars } } } }"#;
    let (found, _) = issues.execute(search, &[]).await;

    let lock = json!({
        "number": 1, "title": "The lock does not open", "state": "OPEN", "author": { "name": "Noor Haddad" },
        "labels": [{ "name": "bug" }, { "name": "lock" }], "assignees": [{ "login": "ida" }],
        "comments": [{ "body": "It opens at night.", "author": { "name": "Ida Falk" } }],
    });
    let paint = json!({
        "number": 2, "title": "Paint the gate", "state": "OPEN", "author": null,
        "labels": [], "assignees": [], "comments": [],
    });
    let listed = json!({ "nextPage": 2, "nodes": [lock, paint] });
    assert_eq!(
        first,
        json!({ "data": { "repository": { "stars": 41, "issues": listed } } })
    );
    // The repository, its issues, the comments of each, and two users.
    assert_eq!(calls.len(), 6, "{calls:?}");
    let last = &last["data"]["repository"]["issues"];
    assert_eq!(last["nextPage"], Value::Null);
    assert_eq!(last["nodes"][0]["comments"][0]["author"], Value::Null);
    assert_eq!(
        found,
        json!({ "data": { "searchIssues": {
            "totalCount": 1, "nodes": [{ "number": 1, "repository": { "stars": 41 } }],
        } } })
    );
}

#[tokio::test]
async fn issues_are_opened_commented_and_starred() {
    let issues = Example::start("issues").await;

    let change = r#"mutation {
        star(owner: "ida", name: "sluice")
        unstar(owner: "ida", name: "unknown")
        openIssue(owner: "ida", name: "sluice", input: { title: "Oil the hinges", labels: ["bug"] }) { number state }
        comment(owner: "ida", name: "sluice", issue: 1, body: "Fixed.") { id createdAt author { name } }
    }"#;
    let (changed, _) = issues.execute(change, &[]).await;
    let open =
        r#"mutation { openIssue(owner: "ida", name: "sluice", input: { title: "" }) { number } }"#;
    let (refused, _) = issues.execute(open, &[]).await;
    let missing = r#"{ repository(owner: "ida", name: "nothing") { stars } }"#;
    let (missing, _) = issues.execute(missing, &[]).await;

    assert_eq!(
        changed,
        json!({ "data": {
            "star": true,
            "unstar": true,
            "openIssue": { "number": 4, "state": "OPEN" },
            "comment": { "id": "73", "createdAt": "2026-11-30T09:00:00Z", "author": { "name": "Ida Falk" } },
        } })
    );
    let error = &refused["errors"][0];
    assert_eq!(error["message"], "Validation Failed");
    assert_eq!(error["extensions"]["fields"], json!(["title"]));
    assert_eq!(missing["errors"][0]["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn a_catalogue_is_paged_to_its_end_by_links_and_by_cursors() {
    let catalogue = Example::start("catalogue").await;

    let first = "{ records { totalCount pageInfo { endCursor hasNextPage } nodes { title label { name } } } }";
    let (first, calls) = catalogue.execute(first, &[]).await;
    let after = first["data"]["records"]["pageInfo"]["endCursor"]
        .as_str()
        .unwrap();
    let next = format!(
        "{{ records(after: {after:?}) {{ pageInfo {{ endCursor hasNextPage }} edges {{ cursor node {{ title }} }} }} }}"
    );
    let (next, _) = catalogue.execute(&next, &[]).await;
    let labels = "{ a: labels { pageInfo { endCursor hasNextPage } } b: labels(after: \"l2\") { nodes { name } pageInfo { hasNextPage } } }";
    let (labels, _) = catalogue.execute(labels, &[]).await;

    assert_eq!(
        first["data"]["records"],
        json!({
            "totalCount": 3,
            "pageInfo": { "endCursor": "r2", "hasNextPage": true },
            "nodes": [
                { "title": "Slow Locks", "label": { "name": "Weir Sounds" } },
                { "title": "Tailwater", "label": { "name": "Brook" } },
            ],
        })
    );
    assert_eq!(
        calls,
        ["GET /labels?ids=l1%2Cl2", "GET /records?page%5Bsize%5D=2"]
    );
    assert_eq!(
        next["data"]["records"],
        json!({
            "pageInfo": { "endCursor": null, "hasNextPage": false },
            "edges": [{ "cursor": "r3", "node": { "title": "Sluice" } }],
        })
    );
    assert_eq!(
        labels["data"],
        json!({
            "a": { "pageInfo": { "endCursor": "l2", "hasNextPage": true } },
            "b": { "nodes": [{ "name": "Mere" }], "pageInfo": { "hasNextPage": false } },
        })
    );
}

#[tokio::test]
async fn every_example_has_tests_of_its_connectors_and_a_short_readme() {
    for name in NAMES {
        let folder = examples().join(name);
        let output = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["test", "tests"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && err.is_empty(),
            "{name}: {out}{err}"
        );

        let sdl = fs::read_to_string(folder.join(format!("{name}.graphql"))).unwrap();
        let connectors = sdl.matches("@connect(").count();
        let tests = out.matches("  ok ").count();
        assert!(
            tests >= connectors,
            "{name}: {tests} tests of {connectors} connectors"
        );

        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let command = format!("make example-{name}");
        assert!(
            readme.contains(&command) && readme.lines().count() <= 30,
            "{name}"
        );
    }
}
