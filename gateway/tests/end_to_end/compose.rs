//! `weir compose`: a supergraph from files and from running subgraphs.

use crate::commands::Folder;

#[tokio::test]
async fn subgraphs_are_composed_by_introspection() {
    let shop = mocks::Shop::start().await.unwrap();
    let folder = Folder::new("introspect", &[]);
    let reviews = format!("reviews={}/graphql", shop.reviews.url());

    let alone = folder.run(&["compose", "--introspect", &reviews]).await;
    let replaced = folder
        .run(&[
            "compose",
            "--subgraph",
            "reviews=not-there.graphql@http://reviews.example.com/graphql",
            "--introspect",
            &reviews,
        ])
        .await;
    let users = format!("users={}/users", shop.users.url());
    let unreachable = "unreachable=http://127.0.0.1:1/";
    let failed = folder
        .run(&[
            "compose",
            "--introspect",
            &users,
            "--introspect",
            unreachable,
        ])
        .await;

    let out = alone.out();
    assert_eq!(alone.code(), Some(0), "{}", alone.err());
    assert!(out.contains("averageRating"), "{out}");
    let url = format!("url: \"{}/graphql\"", shop.reviews.url());
    assert!(out.contains(&url), "{out}");
    // The configured URL wins over the introspected one.
    let out = replaced.out();
    assert_eq!(replaced.code(), Some(0), "{}", replaced.err());
    assert!(out.contains("http://reviews.example.com/graphql"), "{out}");
    let err = failed.err();
    assert_eq!((failed.code(), failed.out().as_str()), (Some(1), ""));
    assert!(
        err.contains("`users` cannot be introspected: the subgraph responded"),
        "{err}"
    );
    assert!(
        err.contains("`unreachable` cannot be introspected: the subgraph is unreachable"),
        "{err}"
    );
    shop.stop().await;
}

#[tokio::test]
async fn the_demo_is_composed_without_a_configuration() {
    let folder = Folder::new("compose-shop", &[]);

    let composed = folder.run(&["compose", "--output", "shop.graphql"]).await;
    let check = folder.run(&["check", "--supergraph", "shop.graphql"]).await;
    let from_files = folder.run(&["schema"]).await;
    let from_supergraph = folder
        .run(&["schema", "--supergraph", "shop.graphql"])
        .await;

    assert_eq!(composed.code(), Some(0), "{}", composed.err());
    assert!(
        composed.err().contains("wrote shop.graphql"),
        "{}",
        composed.err()
    );
    assert_eq!(check.code(), Some(0), "{}", check.out());
    assert_eq!(sorted(&from_files.out()), sorted(&from_supergraph.out()));
}

/// The lines in alphabetical order, since the order of subgraphs makes no difference.
fn sorted(sdl: &str) -> Vec<&str> {
    let mut lines: Vec<_> = sdl.lines().map(str::trim).collect();
    lines.sort_unstable();
    lines
}
