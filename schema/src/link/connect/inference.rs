//! Infers the JSON types that an expression can produce, from its text and the schema.
//!
//! An over-approximation: an inferred type contains every possible value, and unknown values have
//! every type. Also finds unknown methods, and keys of values that have no members.

use std::ops::Range;

use indexmap::IndexMap;

use self::inferred_type::{InferredType, Kinds, Members};
use super::unbraced;
use crate::mapping::ast::{Expr, Head, Item, Key, Member, MemberValue, Path, Selection, Step};
use crate::mapping::{Version, remedy};
use crate::types::{ArgumentDefinition, Name, Scalar, TypeId, TypeKind, TypeRef, Types};

pub(super) mod inferred_type;
mod methods;
pub(super) mod parts;

/// A problem found during inference.
pub(super) struct Finding {
    pub(super) kind: FindingKind,
    pub(super) range: Range<usize>,
}

pub(super) enum FindingKind {
    /// No method has this name.
    UnknownMethod(String),
    /// The key is read from a value without members.
    NothingToRead(String),
    /// A member of the response is read where a literal was probably meant.
    FieldForLiteral(String),
    /// Quoted text contains a variable.
    VariableInQuotes {
        text: String,
        variable: Range<usize>,
    },
}

/// The state of inferring the types of one text.
pub(super) struct TypeInference<'a> {
    pub(super) types: &'a Types,
    pub(super) version: Version,
    /// The type of `$args`, where that is available.
    pub(super) arguments: Option<&'a IndexMap<Name, ArgumentDefinition>>,
    /// The type of `$this`, and of the elements of `$batch`.
    pub(super) owner: Option<TypeId>,
    pub(super) findings: Vec<Finding>,
    /// Paths with a method whose result the version does not infer.
    pub(super) unfollowed_ranges: Vec<Range<usize>>,
    locals: Vec<(String, InferredType)>,
}

/// The types of `$` and `@`.
#[derive(Clone, Copy)]
struct InputTypes {
    dollar: InferredType,
    at: InferredType,
}

impl<'a> TypeInference<'a> {
    pub(super) fn new(types: &'a Types, version: Version) -> Self {
        Self {
            types,
            version,
            arguments: None,
            owner: None,
            findings: Vec::new(),
            unfollowed_ranges: Vec::new(),
            locals: Vec::new(),
        }
    }

    /// The type of a whole mapping whose `$` and `@` have the type `input`.
    pub(super) fn infer(&mut self, selection: &Selection, input: InferredType) -> InferredType {
        let inputs = InputTypes {
            dollar: input,
            at: input,
        };
        self.selection(selection, inputs)
    }

    fn selection(&mut self, selection: &Selection, inputs: InputTypes) -> InferredType {
        let mut inferred = InferredType::from_kinds(Kinds::NULL);
        for item in &selection.items {
            match item {
                Item::Member(member) => {
                    match &member.value {
                        MemberValue::Group(group) => self.selection(group, inputs),
                        MemberValue::Expr(expr) => {
                            self.check_literal(member, expr, inputs);
                            self.expr(expr, inputs)
                        }
                    };
                    inferred = InferredType::object(Members::Unknown);
                }
                Item::Whole(expr) => inferred = self.expr(expr, inputs),
                Item::Spread(path) => {
                    self.path(path, inputs);
                    inferred = InferredType::object(Members::Unknown);
                }
            }
        }
        inferred
    }

    fn expr(&mut self, expr: &Expr, inputs: InputTypes) -> InferredType {
        match expr {
            Expr::Path(path) => self.path(path, inputs),
            Expr::String(text, range) => {
                self.check_quoted(text, range);
                InferredType::from_kinds(Kinds::STRING)
            }
            Expr::Number(..) => InferredType::from_kinds(Kinds::NUMBER),
            Expr::Bool(..) => InferredType::from_kinds(Kinds::BOOL),
            Expr::Null(_) => InferredType::from_kinds(Kinds::NULL),
            Expr::Group(group) => self.selection(group, inputs),
            Expr::Object(members, _) => {
                for (_, member) in members {
                    self.expr(member, inputs);
                }
                InferredType::object(Members::Unknown)
            }
            Expr::List(items, _) => InferredType::list(self.joined(items, inputs)),
            Expr::Choice(_, operands) => self.joined(operands, inputs),
        }
    }

    /// Finds a keyword, or a plain name in quotes, after an alias: before v0.4 it is a member.
    fn check_literal(&mut self, member: &Member, expr: &Expr, inputs: InputTypes) {
        let Expr::Path(Path {
            head: Head::Key(key),
            steps,
            group: None,
            ..
        }) = expr
        else {
            return;
        };
        let is_member = steps.is_empty() && key.range != member.key.range;
        let is_quoted = key.range.len() != key.name.len();
        let is_plain = remedy::path_key(&key.name) == key.name;
        let is_literal = (is_quoted && is_plain) || remedy::is_keyword(&key.name);
        if is_member && is_literal && inputs.dollar.members != Members::Empty {
            self.findings.push(Finding {
                kind: FindingKind::FieldForLiteral(key.name.clone()),
                range: key.range.clone(),
            });
        }
    }

    /// Whether quoted text contains a variable, which is a finding.
    fn check_quoted(&mut self, text: &str, range: &Range<usize>) -> bool {
        let Some(variable) = unbraced::variables(text).into_iter().next() else {
            return false;
        };
        let text = text.to_owned();
        self.findings.push(Finding {
            kind: FindingKind::VariableInQuotes { text, variable },
            range: range.clone(),
        });
        true
    }

    fn joined(&mut self, exprs: &[Expr], inputs: InputTypes) -> InferredType {
        exprs
            .iter()
            .fold(InferredType::from_kinds(Kinds::NONE), |joined, expr| {
                joined.or(self.expr(expr, inputs))
            })
    }

    fn path(&mut self, path: &Path, inputs: InputTypes) -> InferredType {
        let locals = self.locals.len();
        let mut inferred = match &path.head {
            Head::Key(key) if self.check_quoted(&key.name, &key.range) => InferredType::ANY,
            Head::Key(key) => self.key(inputs.dollar, key),
            Head::Dollar(_) => inputs.dollar,
            Head::At(_) => inputs.at,
            Head::Variable(key) => self.variable(&key.name),
            Head::Expr(expr) => self.expr(expr, inputs),
        };
        let mut has_method = false;
        for step in &path.steps {
            inferred = match step {
                Step::Key(key) => self.key(inferred, key),
                Step::Question(_) => inferred,
                Step::Method(name, args) => {
                    has_method = true;
                    let args = args.as_deref().unwrap_or_default();
                    self.method(
                        name,
                        args,
                        InputTypes {
                            at: inferred,
                            ..inputs
                        },
                    )
                }
            };
        }
        if has_method && !self.infers_methods() {
            self.unfollowed_ranges.push(path.range.clone());
        }
        if let Some(group) = &path.group {
            inferred = self.group(group, inferred);
        }
        self.locals.truncate(locals);
        inferred
    }

    /// The type of a path with a group: an object, or a list of objects where the path is a list.
    fn group(&mut self, group: &Selection, before: InferredType) -> InferredType {
        let inside = if before.is_list() {
            before.elements()
        } else {
            before
        };
        let object = self.infer(group, inside);
        let list = InferredType::list(object);
        match (before.kinds.intersects(Kinds::LIST), before.is_list()) {
            (_, true) => list,
            (true, false) => object.or(list),
            (false, false) => object,
        }
    }

    fn variable(&self, name: &str) -> InferredType {
        let local = self.locals.iter().rev().find(|(local, _)| local == name);
        if let Some((_, inferred)) = local {
            return *inferred;
        }
        let owner = self.owner.map_or(Members::Unknown, Members::OfType);
        match name {
            "args" if self.arguments.is_some() => InferredType::object(Members::Arguments),
            "this" => InferredType::object(owner),
            "batch" => InferredType::list(InferredType::object(owner)),
            "config" | "context" => InferredType::object(Members::Unknown),
            "env" => InferredType::object(Members::Strings),
            "request" | "response" => InferredType::object(Members::HttpMessage),
            "status" => InferredType::from_kinds(Kinds::NUMBER),
            _ => InferredType::ANY,
        }
    }

    fn key(&mut self, inferred: InferredType, key: &Key) -> InferredType {
        if inferred.members == Members::Empty {
            self.findings.push(Finding {
                kind: FindingKind::NothingToRead(key.name.clone()),
                range: key.range.clone(),
            });
            return InferredType::ANY;
        }
        if inferred.kinds == Kinds::ALL {
            return InferredType::ANY;
        }
        let mut value = InferredType::from_kinds(Kinds::NONE);
        if inferred.kinds.intersects(Kinds::OBJECT) {
            value = value.or(self.member(inferred.members, &key.name));
        }
        if inferred.kinds.intersects(Kinds::LIST) {
            value = value.or(InferredType::list(self.member(inferred.members, &key.name)));
        }
        if value.kinds == Kinds::NONE {
            InferredType::from_kinds(Kinds::NULL)
        } else {
            value
        }
    }

    fn member(&self, members: Members, name: &str) -> InferredType {
        let inferred_type = |ty: &TypeRef| self.type_ref(ty);
        let inferred = match members {
            Members::Unknown | Members::Empty => None,
            Members::Arguments => self
                .arguments
                .and_then(|arguments| arguments.get(name))
                .map(|argument| inferred_type(&argument.ty)),
            Members::OfType(id) => match &self.types.get(id).kind {
                TypeKind::InputObject(fields) => {
                    fields.get(name).map(|field| inferred_type(&field.ty))
                }
                _ => self
                    .types
                    .get(id)
                    .field(name)
                    .map(|it| inferred_type(&it.ty)),
            },
            Members::HttpMessage if name == "headers" => {
                Some(InferredType::object(Members::Headers))
            }
            Members::HttpMessage => Some(InferredType::from_kinds(Kinds::NULL)),
            Members::Headers => Some(InferredType::list(InferredType::from_kinds(Kinds::STRING))),
            Members::Strings => Some(InferredType::from_kinds(Kinds::STRING)),
        };
        inferred.unwrap_or(InferredType::ANY)
    }

    fn type_ref(&self, ty: &TypeRef) -> InferredType {
        match ty {
            TypeRef::List(inner, _) => InferredType::list(self.type_ref(inner)),
            TypeRef::Named(id, _) => match &self.types.get(*id).kind {
                TypeKind::Scalar(Scalar::Int | Scalar::Float) => {
                    InferredType::from_kinds(Kinds::NUMBER)
                }
                TypeKind::Scalar(Scalar::String) | TypeKind::Enum(_) => {
                    InferredType::from_kinds(Kinds::STRING)
                }
                TypeKind::Scalar(Scalar::Boolean) => InferredType::from_kinds(Kinds::BOOL),
                TypeKind::Scalar(Scalar::Id) => {
                    InferredType::from_kinds(Kinds::STRING.or(Kinds::NUMBER))
                }
                TypeKind::Scalar(Scalar::Custom) => InferredType::ANY,
                TypeKind::Object(_)
                | TypeKind::Interface(_)
                | TypeKind::Union
                | TypeKind::InputObject(_) => InferredType::object(Members::OfType(*id)),
            },
        }
    }

    /// Whether the version defines the result types of methods.
    fn infers_methods(&self) -> bool {
        self.version >= Version::V0_3
    }
}

#[cfg(test)]
mod tests;
