//! Documents: every page is reachable from the index, and no link is dead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::sources::{CRATES, collect, root};

/// The index of the documents.
const INDEX: &str = "docs/README.md";

/// Pages below `docs` that are not reachable from the index by links.
pub(crate) fn unreachable_pages() -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![PathBuf::from(INDEX)];
    while let Some(page) = open.pop() {
        if reached.insert(page.clone()) && page.starts_with("docs") {
            let links = links(&page).into_iter().map(|link| link.file);
            open.extend(links.filter(|file| file.extension().is_some_and(|it| it == "md")));
        }
    }
    let pages = pages().into_iter().filter(|page| page.starts_with("docs"));
    pages
        .filter(|page| !reached.contains(page))
        .map(|page| page.display().to_string())
        .collect()
}

/// Links in documents to a file or a heading that does not exist.
pub(crate) fn dead_links() -> Vec<String> {
    let mut dead = Vec::new();
    for page in pages() {
        for link in links(&page) {
            let target = root().join(&link.file);
            let has_heading = |heading: &str| headings(&link.file).contains(heading);
            let is_dead = !target.exists()
                || link
                    .heading
                    .as_deref()
                    .is_some_and(|heading| !has_heading(heading));
            if is_dead {
                dead.push(format!("{}: {}", page.display(), link.text));
            }
        }
    }
    dead
}

/// Paths in ARCHITECTURE.md that do not exist.
pub(crate) fn missing_paths() -> Vec<String> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|quoted| {
        let mut crates = CRATES.iter();
        crates.any(|name| quoted.starts_with(&format!("{name}/")))
    });
    paths
        .filter(|quoted| !quoted.contains(['*', '<', '{', ' ']))
        .filter(|quoted| !root().join(quoted).exists())
        .map(str::to_owned)
        .collect()
}

/// A link within the repository.
struct Link {
    text: String,
    /// Relative to the root of the repository.
    file: PathBuf,
    heading: Option<String>,
}

/// Every Markdown file for readers, relative to the root.
fn pages() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["docs", "examples", "mocks", "gateway/tests", "bench"] {
        collect(&root().join(folder), "md", &mut files);
    }
    let at_root = fs::read_dir(root()).unwrap();
    let at_root = at_root.map(|entry| entry.unwrap().path());
    files.extend(at_root.filter(|path| path.extension().is_some_and(|it| it == "md")));
    files
        .into_iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_owned())
        .collect()
}

/// The links of a page within the repository, except those in code.
fn links(page: &Path) -> Vec<Link> {
    let text = fs::read_to_string(root().join(page)).unwrap_or_default();
    let mut links = Vec::new();
    for line in prose(&text) {
        for piece in line.split("](").skip(1) {
            let Some((target, _)) = piece.split_once(')') else {
                continue;
            };
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = match target.split_once('#') {
                Some((file, heading)) => (file, Some(heading.to_owned())),
                None => (target, None),
            };
            let folder = page.parent().unwrap_or(Path::new(""));
            let file = if file.is_empty() {
                page.to_owned()
            } else {
                normal(&folder.join(file))
            };
            links.push(Link {
                text: target.to_owned(),
                file,
                heading,
            });
        }
    }
    links
}

/// Lines outside of fenced code, without inline code.
fn prose(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push(line.split('`').step_by(2).collect::<Vec<_>>().join("_"));
        }
    }
    lines
}

/// The anchors of a page's headings, as Markdown renderers make them.
fn headings(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(page)).unwrap_or_default();
    let mut is_code = false;
    let mut headings = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let title = line.trim_start_matches('#');
        if !is_code && title.len() < line.len() && title.starts_with(' ') {
            let anchor = title.trim().to_lowercase();
            let anchor = anchor.chars().filter_map(|char| match char {
                ' ' => Some('-'),
                '-' | '_' => Some(char),
                char => char.is_alphanumeric().then_some(char),
            });
            headings.insert(anchor.collect());
        }
    }
    headings
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}
