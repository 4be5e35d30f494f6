//! `weir explain`: explains diagnostic codes.

use std::fmt::Write as _;

use schema::diagnostic::{Code, Family, nearest};

use super::print;

/// The code `name`, or a message with similar codes.
pub(super) fn code(name: &str) -> Result<Code, String> {
    Code::from_name(name).ok_or_else(|| {
        let name = name.to_ascii_uppercase();
        let all = || Code::ALL.iter().map(|code| code.as_str());
        if let Some(close) = nearest(&name, all()) {
            return format!("unknown code; did you mean {close}?");
        }
        let similar: Vec<&str> = all().filter(|code| code.contains(&name)).collect();
        if similar.is_empty() {
            "unknown code; `weir explain` lists all codes".to_owned()
        } else {
            format!("unknown code; similar codes: {}", similar.join(", "))
        }
    })
}

/// Prints the explanation of a code, or one line for each code.
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
