//! Overrides with a label: plans and checks of the binary.

use crate::commands::Folder;

const OLD: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
type Query { user: User }
type User @key(fields: "id") { id: ID! name: String }
"#;

const NEW: &str = r#"extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@override"])
type User @key(fields: "id") { id: ID! name: String @override(from: "old", label: "names") }
"#;

const CONFIG: &str = "
graph:
  subgraphs:
    old: { schema: old.graphql, url: 'http://old.example.com/' }
    new: { schema: new.graphql, url: 'http://new.example.com/' }
  override_labels: { name: true }
";

#[tokio::test]
async fn a_plan_is_printed_with_an_override_on_or_off() {
    let files = [
        ("old.graphql", OLD),
        ("new.graphql", NEW),
        ("weir.yaml", CONFIG),
    ];
    let folder = Folder::new("overrides", &files);
    let query = "{ user { name } }";

    let off = folder.run(&["plan", query]).await;
    let on = folder.run(&["plan", query, "--override", "names"]).await;
    let wrong = folder.run(&["plan", query, "--override", "nams"]).await;
    let check = folder.run(&["check"]).await;

    let old_alone = "1. old  query\n   gives user { name }\nwith the override `names` off\n";
    assert!(off.out().contains(old_alone), "{}{}", off.out(), off.err());
    assert!(on.out().contains("2. new  _entities"), "{}", on.out());
    assert!(on.out().contains("`names` on"), "{}", on.out());
    assert_eq!(wrong.code(), Some(1));
    assert!(
        wrong.err().contains("write `--override names`"),
        "{}",
        wrong.err()
    );
    // An unknown label in the configuration is a warning only.
    assert_eq!(check.code(), Some(0), "{}", check.err());
    let output = check.out() + &check.err();
    assert!(
        output.contains("the graph has no override with the label `name`"),
        "{output}"
    );
    assert!(output.contains("write `names`"), "{output}");
}
