//! The graph under `examples/library`: pages, lists in lists, a login, entity tags.

use serde_json::{Value, json};

use crate::examples::Example;

#[tokio::test]
async fn works_are_paged_by_cursor_with_their_authors_and_editions() {
    let library = Example::start("library").await;

    let page =
        r#"{ works(query: "river") { nextCursor nodes { title year authors { name bio } } } }"#;
    let (first, calls) = library.execute(page, &[]).await;
    let cursor = first["data"]["works"]["nextCursor"].as_str().unwrap();
    let next = format!(
        r#"{{ works(query: "river", after: "{cursor}") {{ nextCursor nodes {{ title }} }} }}"#
    );
    let (last, _) = library.execute(&next, &[]).await;
    let editions = r#"{ work(id: "W1") { editions { languages shelves copies { branch items { barcode isAvailable } } } } }"#;
    let (editions, _) = library.execute(editions, &[]).await;

    let ida = json!({ "name": "Ida Falk", "bio": "Writes by the water." });
    let noor = json!({ "name": "Noor Haddad", "bio": "Builds mills." });
    let nodes = json!([
        { "title": "The River at Night", "year": 1951, "authors": [ida, noor] },
        { "title": "Rivers and Mills", "year": null, "authors": [noor] },
    ]);
    assert_eq!(
        first,
        json!({ "data": { "works": { "nextCursor": "c2", "nodes": nodes } } })
    );
    assert_eq!(
        calls,
        ["GET /authors?ids=A1%2CA2", "GET /works?q=river&size=2"]
    );
    assert_eq!(
        last,
        json!({ "data": { "works": { "nextCursor": null, "nodes": [{ "title": "A River Atlas" }] } } })
    );
    let items = json!([
        { "barcode": "100", "isAvailable": true },
        { "barcode": "101", "isAvailable": false },
    ]);
    assert_eq!(
        editions["data"]["work"]["editions"],
        json!([
            {
                "languages": ["eng"], "shelves": [["N1", "N2"], ["S7"]],
                "copies": [{ "branch": "North", "items": items }, { "branch": "South", "items": [] }],
            },
            { "languages": ["swe", "eng"], "shelves": [[]], "copies": [] },
        ])
    );
}

#[tokio::test]
async fn loans_are_listed_after_a_login_and_renewed_by_their_version() {
    let library = Example::start("library").await;

    let login = r#"mutation { login(card: "2001", pin: "1234") { token } }"#;
    let (session, _) = library.execute(login, &[]).await;
    let (wrong, _) = library.execute(&login.replace("1234", "0000"), &[]).await;
    let loans = "{ loans { id due version work { title } } }";
    let (without_token, _) = library.execute(loans, &[]).await;
    let token = session["data"]["login"]["token"].as_str().unwrap();
    let authorization = [("authorization", &*format!("Bearer {token}"))];
    let (loans, _) = library.execute(loans, &authorization).await;
    let renew = r#"mutation { renew(loan: 7, version: "\"7-1\"") { due version } back: returnLoan(loan: 8) again: returnLoan(loan: 9) }"#;
    let (renewed, _) = library.execute(renew, &authorization).await;
    let outdated = renew.replace("7-1", "7-0");
    let (outdated, _) = library.execute(&outdated, &authorization).await;

    let code = |answer: &Value| answer["errors"][0]["extensions"]["code"].clone();
    let message = |answer: &Value| answer["errors"][0]["message"].clone();
    assert_eq!(code(&wrong), "UNAUTHENTICATED", "{wrong}");
    assert_eq!(message(&wrong), "The card or the PIN is wrong.");
    assert_eq!(without_token["data"]["loans"], Value::Null);
    assert_eq!(code(&without_token), "UNAUTHENTICATED", "{without_token}");
    assert_eq!(message(&without_token), "log in first");
    assert_eq!(
        loans,
        json!({ "data": { "loans": [
            { "id": "7", "due": "2026-12-10", "version": "\"7-1\"", "work": { "title": "The River at Night" } },
            { "id": "8", "due": "2026-12-24", "version": "\"8-4\"", "work": { "title": "Rivers and Mills" } },
        ] } })
    );
    assert_eq!(
        renewed,
        json!({ "data": {
            "renew": { "due": "2027-01-07", "version": "\"7-2\"" }, "back": true, "again": true,
        } })
    );
    assert_eq!(code(&outdated), "CONFLICT", "{outdated}");
    assert_eq!(message(&outdated), "The loan has changed.");
}
