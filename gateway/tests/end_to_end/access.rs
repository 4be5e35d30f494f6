//! Graphs with directives that restrict access: refused, unless the configuration allows them.

use crate::commands::Folder;

const SDL: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"])
type Query { salary: Int @authenticated }
"#;

fn folder(name: &str, graph: &str) -> Folder {
    let config = format!(
        "listen: {{ address: '127.0.0.1:0' }}
graph:
  subgraphs: {{ staff: {{ schema: staff.graphql, url: 'http://127.0.0.1:1' }} }}
{graph}"
    );
    Folder::new(name, &[("weir.yaml", &config), ("staff.graphql", SDL)])
}

#[tokio::test]
async fn serve_and_check_refuse_a_graph_that_restricts_access() {
    let folder = folder("access-refused", "");
    for command in ["serve", "check"] {
        let ended = folder.run(&[command]).await;

        let text = ended.out() + &ended.err();
        assert_eq!(ended.code(), Some(1), "{command}: {text}");
        assert!(text.contains("error[ACCESS_NOT_CHECKED]"), "{text}");
        assert!(
            text.contains("graph.unenforced_access_directives: allow"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_configuration_can_allow_unenforced_directives() {
    let folder = folder("access-allowed", "  unenforced_access_directives: allow\n");

    let check = folder.run(&["check"]).await;
    let (child, _) = folder.serve(&["serve"]).await;
    crate::commands::terminate(&child).await;

    assert_eq!(check.code(), Some(0), "{}", check.out());
    assert!(
        check.out().contains("warning[ACCESS_NOT_CHECKED]"),
        "{}",
        check.out()
    );
}

#[tokio::test]
async fn commands_that_serve_nothing_warn() {
    let folder = folder("access-printed", "");
    let commands: [&[&str]; 3] = [&["plan", "{ salary }"], &["schema"], &["compose"]];
    for command in commands {
        let ended = folder.run(command).await;

        assert_eq!(ended.code(), Some(0), "{command:?}: {}", ended.err());
        assert!(
            ended.err().contains("warning[ACCESS_NOT_CHECKED]"),
            "{}",
            ended.err()
        );
    }
}
