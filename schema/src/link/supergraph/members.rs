//! The members of interfaces and unions in each subgraph: `@join__implements` and
//! `@join__unionMember`.

use std::collections::HashMap;

use apollo_compiler::Node;
use apollo_compiler::ast::Directive;
use apollo_compiler::schema::ExtendedType;
use indexmap::IndexMap;

use super::arguments::text;
use super::join::{GraphId, Join, JoinDirective, JoinVersion};
use crate::diagnostic::Problems;
use crate::types;

/// The subgraphs of each member, by abstract type and member.
#[derive(Default)]
pub(super) struct Members(HashMap<String, IndexMap<String, MemberGraphs>>);

/// The subgraphs in which a type is a member of an abstract type.
#[derive(Default)]
struct MemberGraphs {
    /// In all that define both types: older versions of the join specification list none.
    all: bool,
    listed: Vec<GraphId>,
}

impl Members {
    pub(super) fn read(join: &Join<'_>, problems: &mut Problems) -> Self {
        let mut members = Self::default();
        for (name, definition) in join.types() {
            let directives = || definition.directives().iter().map(|it| &it.node);
            match definition {
                ExtendedType::Object(object) if join.version < JoinVersion::V0_2 => {
                    for interface in &object.implements_interfaces {
                        members.graphs(interface.as_str(), name).all = true;
                    }
                }
                ExtendedType::Object(_) | ExtendedType::Interface(_)
                    if join.version >= JoinVersion::V0_2 =>
                {
                    for found in join.directives(directives(), JoinDirective::Implements) {
                        if let Some((interface, graph)) =
                            named_with_graph(found, "interface", join, problems)
                        {
                            members.graphs(interface, name).listed.push(graph);
                        }
                    }
                }
                ExtendedType::Union(union) if join.version < JoinVersion::V0_3 => {
                    for member in &union.members {
                        members.graphs(name, member.as_str()).all = true;
                    }
                }
                ExtendedType::Union(_) => {
                    for found in join.directives(directives(), JoinDirective::UnionMember) {
                        if let Some((member, graph)) =
                            named_with_graph(found, "member", join, problems)
                        {
                            members.graphs(name, member).listed.push(graph);
                        }
                    }
                }
                _ => {}
            }
        }
        members
    }

    /// The members of the abstract type `of` in the subgraph `graph`.
    pub(super) fn in_graph(&self, of: &str, graph: GraphId) -> Vec<types::Name> {
        let members = self.0.get(of).into_iter().flatten();
        members
            .filter(|(_, graphs)| graphs.all || graphs.listed.contains(&graph))
            .map(|(member, _)| member.as_str().into())
            .collect()
    }

    fn graphs(&mut self, of: &str, member: &str) -> &mut MemberGraphs {
        let members = self.0.entry(of.to_owned()).or_default();
        members.entry(member.to_owned()).or_default()
    }
}

/// The type that `argument` of a join directive names, and the subgraph.
fn named_with_graph<'a>(
    directive: &'a Node<Directive>,
    argument: &str,
    join: &Join<'_>,
    problems: &mut Problems,
) -> Option<(&'a str, GraphId)> {
    let graph = join.checked_graph_id(directive, problems)?;
    Some((text(directive, argument)?, graph))
}
