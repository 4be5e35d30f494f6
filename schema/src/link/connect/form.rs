//! What sort of value an expression can give, as far as its text and the schema tell.
//!
//! An over-approximation: a value of a sort that is not named is impossible, and whatever is not
//! known is possible. On the way it meets methods and keys that cannot be, and notes them.

use std::ops::Range;

use indexmap::IndexMap;

use self::value::{Form, Kinds, Members};
use crate::mapping::Version;
use crate::mapping::ast::{Expr, Head, Item, Key, MemberValue, Path, Selection, Step};
use crate::types::{Argument, Kind, Name, Scalar, TypeId, TypeRef, Types};

mod methods;
pub(super) mod value;

/// Something found on the way.
pub(super) struct Found {
    pub(super) what: What,
    pub(super) range: Range<usize>,
}

pub(super) enum What {
    /// There is no method of this name.
    Method(String),
    /// A key is read where nothing can have one; the key as it should be asked for.
    Nothing(String),
}

/// Finds the form of expressions of one text.
pub(super) struct Forms<'a> {
    pub(super) types: &'a Types,
    pub(super) version: Version,
    /// `$args`, where there is one.
    pub(super) arguments: Option<&'a IndexMap<Name, Argument>>,
    /// The type of `$this` and of what is in `$batch`.
    pub(super) owner: Option<TypeId>,
    pub(super) found: Vec<Found>,
    /// Paths through a method whose value the version does not follow.
    pub(super) unfollowed: Vec<Range<usize>>,
    locals: Vec<(String, Form)>,
}

/// What `$` and `@` are.
#[derive(Clone, Copy)]
struct Seen {
    dollar: Form,
    at: Form,
}

impl<'a> Forms<'a> {
    pub(super) fn new(types: &'a Types, version: Version) -> Self {
        Self {
            types,
            version,
            arguments: None,
            owner: None,
            found: Vec::new(),
            unfollowed: Vec::new(),
            locals: Vec::new(),
        }
    }

    /// The form of a whole mapping whose `$` and `@` are `input`.
    pub(super) fn whole(&mut self, selection: &Selection, input: Form) -> Form {
        let seen = Seen {
            dollar: input,
            at: input,
        };
        self.selection(selection, seen)
    }

    fn selection(&mut self, selection: &Selection, seen: Seen) -> Form {
        let mut form = Form::of(Kinds::NULL);
        for item in &selection.items {
            match item {
                Item::Member(member) => {
                    match &member.value {
                        MemberValue::Group(group) => self.selection(group, seen),
                        MemberValue::Expr(expr) => self.expr(expr, seen),
                    };
                    form = Form::object(Members::Unknown);
                }
                Item::Whole(expr) => form = self.expr(expr, seen),
                Item::Spread(path) => {
                    self.path(path, seen);
                    form = Form::object(Members::Unknown);
                }
            }
        }
        form
    }

    fn expr(&mut self, expr: &Expr, seen: Seen) -> Form {
        match expr {
            Expr::Path(path) => self.path(path, seen),
            Expr::String(..) => Form::of(Kinds::STRING),
            Expr::Number(..) => Form::of(Kinds::NUMBER),
            Expr::Bool(..) => Form::of(Kinds::BOOL),
            Expr::Null(_) => Form::of(Kinds::NULL),
            Expr::Group(group) => self.selection(group, seen),
            Expr::Object(members, _) => {
                for (_, member) in members {
                    self.expr(member, seen);
                }
                Form::object(Members::Unknown)
            }
            Expr::List(items, _) => Form::list(self.joined(items, seen)),
            Expr::Choice(_, operands) => self.joined(operands, seen),
        }
    }

    fn joined(&mut self, exprs: &[Expr], seen: Seen) -> Form {
        exprs.iter().fold(Form::of(Kinds::NONE), |joined, expr| {
            joined.or(self.expr(expr, seen))
        })
    }

    fn path(&mut self, path: &Path, seen: Seen) -> Form {
        let locals = self.locals.len();
        let mut form = match &path.head {
            Head::Key(key) => self.key(seen.dollar, key),
            Head::Dollar(_) => seen.dollar,
            Head::At(_) => seen.at,
            Head::Variable(key) => self.variable(&key.name),
            Head::Expr(expr) => self.expr(expr, seen),
        };
        let mut through_method = false;
        for step in &path.steps {
            form = match step {
                Step::Key(key) => self.key(form, key),
                Step::Question(_) => form,
                Step::Method(name, args) => {
                    through_method = true;
                    let args = args.as_deref().unwrap_or_default();
                    self.method(name, args, Seen { at: form, ..seen })
                }
            };
        }
        if through_method && !self.follows_methods() {
            self.unfollowed.push(path.range.clone());
        }
        if let Some(group) = &path.group {
            form = self.group(group, form);
        }
        self.locals.truncate(locals);
        form
    }

    /// Braces behind a path: an object, or a list of objects where there was a list.
    fn group(&mut self, group: &Selection, before: Form) -> Form {
        let inside = if before.is_list() {
            before.elements()
        } else {
            before
        };
        let object = self.whole(group, inside);
        let list = Form::list(object);
        match (before.own.has(Kinds::LIST), before.is_list()) {
            (_, true) => list,
            (true, false) => object.or(list),
            (false, false) => object,
        }
    }

    fn variable(&self, name: &str) -> Form {
        let local = self.locals.iter().rev().find(|(local, _)| local == name);
        if let Some((_, form)) = local {
            return *form;
        }
        let owner = self.owner.map_or(Members::Unknown, Members::Of);
        match name {
            "args" if self.arguments.is_some() => Form::object(Members::Arguments),
            "this" => Form::object(owner),
            "batch" => Form::list(Form::object(owner)),
            "config" | "context" => Form::object(Members::Unknown),
            "env" => Form::object(Members::Texts),
            "request" | "response" => Form::object(Members::Message),
            "status" => Form::of(Kinds::NUMBER),
            _ => Form::ANY,
        }
    }

    fn key(&mut self, form: Form, key: &Key) -> Form {
        if form.members == Members::Empty {
            self.found.push(Found {
                what: What::Nothing(key.name.clone()),
                range: key.range.clone(),
            });
            return Form::ANY;
        }
        if form.own == Kinds::ALL {
            return Form::ANY;
        }
        let mut value = Form::of(Kinds::NONE);
        if form.own.has(Kinds::OBJECT) {
            value = value.or(self.member(form.members, &key.name));
        }
        if form.own.has(Kinds::LIST) {
            value = value.or(Form::list(self.member(form.members, &key.name)));
        }
        if value.own == Kinds::NONE {
            Form::of(Kinds::NULL)
        } else {
            value
        }
    }

    fn member(&self, members: Members, name: &str) -> Form {
        let of_type = |ty: &TypeRef| self.typed(ty);
        let found = match members {
            Members::Unknown | Members::Empty => None,
            Members::Arguments => self
                .arguments
                .and_then(|arguments| arguments.get(name))
                .map(|argument| of_type(&argument.ty)),
            Members::Of(id) => match &self.types.get(id).kind {
                Kind::Input(fields) => fields.get(name).map(|field| of_type(&field.ty)),
                _ => self.types.get(id).field(name).map(|it| of_type(&it.ty)),
            },
            Members::Message if name == "headers" => Some(Form::object(Members::Headers)),
            Members::Message => Some(Form::of(Kinds::NULL)),
            Members::Headers => Some(Form::list(Form::of(Kinds::STRING))),
            Members::Texts => Some(Form::of(Kinds::STRING)),
        };
        found.unwrap_or(Form::ANY)
    }

    fn typed(&self, ty: &TypeRef) -> Form {
        match ty {
            TypeRef::List(inner, _) => Form::list(self.typed(inner)),
            TypeRef::Named(id, _) => match &self.types.get(*id).kind {
                Kind::Scalar(Scalar::Int | Scalar::Float) => Form::of(Kinds::NUMBER),
                Kind::Scalar(Scalar::String) | Kind::Enum(_) => Form::of(Kinds::STRING),
                Kind::Scalar(Scalar::Boolean) => Form::of(Kinds::BOOL),
                Kind::Scalar(Scalar::Id) => Form::of(Kinds::STRING.or(Kinds::NUMBER)),
                Kind::Scalar(Scalar::Custom) => Form::ANY,
                Kind::Object(_) | Kind::Interface(_) | Kind::Union | Kind::Input(_) => {
                    Form::object(Members::Of(*id))
                }
            },
        }
    }

    /// Whether the version promises what methods give.
    fn follows_methods(&self) -> bool {
        self.version >= Version::V0_3
    }
}

#[cfg(test)]
mod tests;
