//! `weir explain`: what a code means, why it is a rule, and how it is cured.

use std::fmt::Write as _;

use schema::diagnostic::{Code, Family, nearest};

use super::print;

/// The code that is called `name`; otherwise what may have been meant.
pub(super) fn code(name: &str) -> Result<Code, String> {
    Code::from_name(name).ok_or_else(|| {
        let name = name.to_ascii_uppercase();
        let all = || Code::ALL.iter().map(|code| code.as_str());
        if let Some(close) = nearest(&name, all()) {
            return format!("there is no such code; did you mean {close}?");
        }
        let alike: Vec<&str> = all().filter(|code| code.contains(&name)).collect();
        if alike.is_empty() {
            "there is no such code; `weir explain` lists them".to_owned()
        } else {
            format!("there is no such code; there are {}", alike.join(", "))
        }
    })
}

/// Prints the explanation of a code, or a line for each.
pub(super) fn run(code: Option<Code>) {
    print::output(&code.map_or_else(list, explanation));
}

fn explanation(code: Code) -> String {
    let mut text = format!(
        "{}: {}\n\n{}",
        code.as_str(),
        code.summary(),
        code.explain()
    );
    if let Some(example) = code.example() {
        text.push_str("\n\n");
        text.push_str(example);
    }
    text
}

fn list() -> String {
    let names = Code::ALL.iter().map(|code| code.as_str().len());
    let width = names.max().unwrap_or_default();
    let mut text = String::new();
    for (family, title) in FAMILY_TITLES {
        let gap = if text.is_empty() { "" } else { "\n" };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{gap}{title}");
        for code in Code::ALL.iter().filter(|code| code.family() == family) {
            let _ = writeln!(text, "  {:width$}  {}", code.as_str(), code.summary());
        }
    }
    text
}

const FAMILY_TITLES: [(Family, &str); 6] = [
    (Family::Graph, "The graph:"),
    (Family::Federation, "Federation:"),
    (Family::Connectors, "Connectors:"),
    (Family::Caching, "Caching:"),
    (Family::Configuration, "The configuration:"),
    (Family::CommandLine, "The command line:"),
];
