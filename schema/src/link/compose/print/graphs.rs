//! The names of subgraphs in a supergraph: values of the enum `join__Graph`.

use apollo_compiler::Name;

use super::super::part::SubgraphPart;

/// The subgraphs in order, with their unique `join__Graph` values.
pub(super) struct JoinGraphs<'a>(Vec<(Name, &'a SubgraphPart<'a>)>);

impl<'a> JoinGraphs<'a> {
    pub(super) fn new(parts: &'a [SubgraphPart<'a>]) -> Self {
        let mut graphs: Vec<(Name, &SubgraphPart<'_>)> = Vec::new();
        for part in parts {
            let base = enum_value_name(part.name());
            let is_taken = |name: &str| graphs.iter().any(|(known, _)| known == name);
            let mut name = base.clone();
            let mut count = 1;
            while is_taken(&name) {
                name = format!("{base}_{count}");
                count += 1;
            }
            graphs.push((Name::new_unchecked(&name), part));
        }
        Self(graphs)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Name, &'a SubgraphPart<'a>)> {
        self.0.iter().map(|(name, part)| (name, *part))
    }
}

/// `order-service` → `ORDER_SERVICE`.
fn enum_value_name(name: &str) -> String {
    let mut value: String = name
        .chars()
        .map(|char| match char.to_ascii_uppercase() {
            char if char.is_ascii_alphanumeric() => char,
            _ => '_',
        })
        .collect();
    if !value.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        value.insert(0, '_');
    }
    if ["TRUE", "FALSE", "NULL"].contains(&value.as_str()) || value.starts_with("__") {
        value.insert(0, 'G');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::enum_value_name;

    #[test]
    fn every_subgraph_name_becomes_an_enum_value() {
        for (name, value) in [
            ("users", "USERS"),
            ("order-service", "ORDER_SERVICE"),
            ("4th", "_4TH"),
            ("", "_"),
            ("-a", "_A"),
            ("--a", "G__A"),
            ("é", "_"),
        ] {
            assert_eq!(enum_value_name(name), value);
        }
    }
}
