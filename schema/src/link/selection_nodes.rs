//! A connector's selection, checked against the schema → the nodes that its source provides.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use self::shape::{Origin, Shape};
use super::{Reported, ReportedResult};
use crate::diagnostic::{Code, Diagnostic, Problems, nearest};
use crate::key::FieldSet;
use crate::mapping::ast::Selection;
use crate::mapping::remedy;
use crate::sdl::Sdl;
use crate::sdl::literal::Literal;
use crate::source::{NodeField, NodeId, ObjectTypes, SourceNode};
use crate::span::Span;
use crate::types::{Field, Name, Scalar, Type, TypeId, TypeKind, Types};

mod shape;

/// Adds to `found` the fields of `key`, each with its range, whose value in `selection` is not read
/// from the response.
pub(super) fn keys_not_from_response(
    selection: &Selection,
    key: &FieldSet,
    found: &mut Vec<(String, Range<usize>)>,
) {
    collect_not_from_response(&shape::selection_shape(selection), key, found);
}

fn collect_not_from_response(
    shape: &Shape,
    key: &FieldSet,
    found: &mut Vec<(String, Range<usize>)>,
) {
    let Shape::Object(members) = shape else {
        return;
    };
    for (name, inner) in &key.0 {
        let Some(member) = members.iter().find(|member| *member.name == **name) else {
            continue;
        };
        if inner.is_empty() && member.origin == Origin::Other {
            found.push((member.name.clone(), member.range.clone()));
        }
        collect_not_from_response(&member.shape, inner, found);
    }
}

/// Checks one selection against the schema, node by node.
pub(super) struct SelectionReader<'a> {
    pub(super) sdl: &'a Sdl,
    pub(super) types: &'a Types,
    /// The string literal that contains the selection.
    pub(super) literal: &'a Literal,
    /// Whether the dialect supports interfaces and unions in selections.
    pub(super) abstract_types: bool,
    pub(super) problems: &'a mut Problems,
    /// The nodes so far; a node follows the nodes nested in it.
    pub(super) nodes: Vec<SourceNode>,
}

impl SelectionReader<'_> {
    /// Adds the nodes that `selection` provides for a value of type `ty`; `None` for leaves.
    pub(super) fn selection(
        &mut self,
        selection: &Selection,
        ty: TypeId,
    ) -> ReportedResult<Option<NodeId>> {
        let shape = shape::selection_shape(selection);
        let range = selection.range.clone();
        let definition = self.types.get(ty);
        if definition.is_composite() && selection.items.is_empty() {
            let message = format!(
                "the selection is empty, and selects no field of `{}`",
                definition.name
            );
            let help = "name the fields of the response".to_owned();
            return Err(self.report(Code::InvalidSelection, &range, message, Some(help)));
        }
        if let (Shape::Object(members), false) = (&shape, definition.is_composite()) {
            self.report_object_for_leaf(members, &range, definition);
            return Ok(None);
        }
        self.value(&shape, &range, ty, &mut Vec::new())
    }

    /// Adds a node and returns its id.
    pub(super) fn add_node(&mut self, on: TypeId, fields: IndexMap<Name, NodeField>) -> NodeId {
        let id = NodeId(self.nodes.len());
        let ty = self.types.get(on);
        // One mapping covers every object type of an abstract type, and selects its `__typename`.
        let object_types = if ty.is_abstract() {
            ObjectTypes::ByTypename(
                ty.possible_types
                    .iter()
                    .map(|object| (*object, id))
                    .collect(),
            )
        } else {
            ObjectTypes::OwnType
        };
        self.nodes.push(SourceNode {
            on,
            object_types,
            fields,
        });
        id
    }

    fn value(
        &mut self,
        shape: &Shape,
        range: &Range<usize>,
        ty: TypeId,
        ancestors: &mut Vec<TypeId>,
    ) -> ReportedResult<Option<NodeId>> {
        let definition = self.types.get(ty);
        if !definition.is_composite() {
            return self.leaf(shape, range, definition);
        }
        if definition.is_abstract() && !self.abstract_types {
            let message = format!(
                "`{}` is an interface or union, which connectors support from v0.4 on",
                definition.name
            );
            let code = Code::ConnectorsUnsupportedAbstractType;
            return Err(self.report(code, range, message, None));
        }
        let Shape::Object(members) = shape else {
            let message = format!("`{}` is an object type: select its fields", definition.name);
            let help = "add `{ … }` with the fields of the object".to_owned();
            let code = Code::GroupSelectionRequiredForObject;
            return Err(self.report(code, range, message, Some(help)));
        };
        if ancestors.contains(&ty) {
            let message = format!("`{}` is selected inside itself", definition.name);
            let owner = &definition.name;
            let help = format!(
                "give the reference a type of its own that has only the key, and add a connector that \
                 fetches `{owner}` to a field of that type: \
                 `type {owner}Ref {{ id: ID! value: {owner} @connect(…) }}`"
            );
            return Err(self.report(Code::CircularReference, range, message, Some(help)));
        }
        ancestors.push(ty);
        let fields = self.fields(members, definition, ancestors);
        ancestors.pop();
        Ok(Some(self.add_node(ty, fields)))
    }

    /// Warns of a selection that produces an object for a leaf. The reference implementation
    /// accepts it, so this is no error, though the value can only be null.
    fn report_object_for_leaf(
        &mut self,
        members: &[shape::Member],
        range: &Range<usize>,
        ty: &Type,
    ) {
        if is_custom_scalar(ty) {
            return;
        }
        let (message, help) = match members {
            [] => (
                "the selection is empty, and has no value".to_owned(),
                "select a value, as in `$.name`, or the whole response: `$`".to_owned(),
            ),
            [only] => (
                format!(
                    "`{{ {0} }}` is an object, and the type is `{1}`",
                    only.name, ty.name
                ),
                if remedy::is_keyword(&only.name) {
                    format!("write `$({})`", only.name)
                } else {
                    format!("write `$.{}`", remedy::path_key(&only.name))
                },
            ),
            _ => (
                format!("the selection is an object, and the type is `{}`", ty.name),
                "select one value, as in `$.name`".to_owned(),
            ),
        };
        let span = Span::new(&self.sdl.document, self.literal.source_range(range));
        let problem = Diagnostic::warning(Code::GroupSelectionIsNotObject, span, message);
        self.problems.push(problem.help(Some(help)));
    }

    fn leaf(
        &mut self,
        shape: &Shape,
        range: &Range<usize>,
        ty: &Type,
    ) -> ReportedResult<Option<NodeId>> {
        if matches!(shape, Shape::Object(_)) && !is_custom_scalar(ty) {
            let message = format!("`{}` has no fields to select", ty.name);
            return Err(self.report(Code::GroupSelectionIsNotObject, range, message, None));
        }
        Ok(None)
    }

    fn fields(
        &mut self,
        members: &[shape::Member],
        ty: &Type,
        ancestors: &mut Vec<TypeId>,
    ) -> IndexMap<Name, NodeField> {
        let mut node_fields = IndexMap::new();
        for member in members {
            if member.name == "__typename" {
                continue;
            }
            let Some(field) = find_field(self.types, ty, &member.name) else {
                self.report_unknown_field(ty, member);
                continue;
            };
            if !field.arguments.is_empty() {
                let message = format!(
                    "`{}.{}` has arguments, which a selection cannot use",
                    ty.name, field.name
                );
                let help = "add `@connect` to the field".to_owned();
                let code = Code::ConnectorsFieldWithArguments;
                self.report(code, &member.range, message, Some(help));
                continue;
            }
            let (name, named) = (Arc::clone(&field.name), field.ty.named_type());
            if let Ok(child) = self.value(&member.shape, &member.range, named, ancestors) {
                let field = NodeField {
                    child,
                    requires: None,
                    context_arguments: Arc::default(),
                    only_in_keys: false,
                    ty: "".into(),
                };
                node_fields.insert(name, field);
            }
        }
        node_fields
    }

    fn report_unknown_field(&mut self, ty: &Type, member: &shape::Member) {
        let known = || ty.fields().into_iter().flat_map(IndexMap::keys);
        let name = &member.name;
        let text = self.literal.value.as_str();
        let has_group = text
            .get(member.range.end..)
            .is_some_and(|rest| rest.trim_start().starts_with('{'));
        let help = remedy::choice(text, member.range.start)
            .or_else(|| {
                let close = nearest(name, known().map(AsRef::as_ref))?;
                let key = remedy::path_key(name);
                Some(format!(
                    "write `{close}`, or `{close}: {key}` if the response has it as `{name}`"
                ))
            })
            .or_else(|| {
                has_group.then(|| {
                    let path = format!("$.{}", remedy::path_key(name));
                    format!(
                        "to select from it without a field of that name, write `{path} {{ id }}`"
                    )
                })
            })
            .or_else(|| renamed_to(&remedy::path_key(name), &ty.name, known()));
        let message = format!("`{}` is not a field of `{}`", member.name, ty.name);
        self.report(Code::SelectedFieldNotFound, &member.range, message, help);
    }

    fn report(
        &mut self,
        code: Code,
        range: &Range<usize>,
        message: String,
        help: Option<String>,
    ) -> Reported {
        let span = Span::new(&self.sdl.document, self.literal.source_range(range));
        self.problems
            .push(Diagnostic::error(code, span, message).help(help));
        Reported
    }
}

/// The remedy for a member of the response that is read under its own name.
fn renamed_to<'n>(key: &str, ty: &str, fields: impl Iterator<Item = &'n Name>) -> Option<String> {
    let mut fields: Vec<String> = fields.map(|field| format!("`{field}`")).collect();
    let omitted = fields.len().saturating_sub(MAX_NAMED_FIELDS);
    fields.truncate(MAX_NAMED_FIELDS);
    if omitted > 0 {
        fields.push(format!("{omitted} more"));
    }
    let fields = fields.join(", ");
    (!fields.is_empty())
        .then(|| format!("write `field: {key}` with a field of `{ty}`, which has {fields}"))
}

/// Maximum number of fields that a remedy names.
const MAX_NAMED_FIELDS: usize = 6;

/// The field of an object type, or of any possible type of an abstract type.
fn find_field<'a>(types: &'a Types, ty: &'a Type, name: &str) -> Option<&'a Field> {
    ty.field(name).or_else(|| {
        let mut possible = ty.possible_types.iter();
        possible.find_map(|id| types.get(*id).field(name))
    })
}

fn is_custom_scalar(ty: &Type) -> bool {
    matches!(ty.kind, TypeKind::Scalar(Scalar::Custom))
}
