//! The syntax tree of the mapping language.
//!
//! Ranges are byte offsets in the mapping's text.

use std::ops::Range;

/// A range of bytes in the mapping's text.
pub type ByteRange = Range<usize>;

/// An item list: a whole mapping, or the content of braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The items in source order.
    pub items: Vec<Item>,
    /// From the first to the last item, braces excluded.
    pub range: ByteRange,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `alias: …`, or a field, which is its own alias: produces one member.
    Member(Member),
    /// An anonymous path alone in its list: its value is the value of the whole list.
    Whole(Expr),
    /// An anonymous path with braces among other items (or `...path`): its members are merged
    /// into the enclosing object.
    Spread(Path),
}

/// An item that produces one member of the enclosing object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key of the member.
    pub key: Key,
    /// The value of the member.
    pub value: MemberValue,
}

/// The value after an alias.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberValue {
    /// `alias: { … }` with the outer `$` and `@`. From v0.4 on this is an [`Expr::Group`].
    Group(Selection),
    /// `alias: path`, or the field itself (`name`, `name?`, `name { … }`: a path whose head is the key).
    /// From v0.4 on also a literal or an operator.
    Expr(Expr),
}

/// A name or quoted string used as a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The name without quotes.
    pub name: String,
    /// The range, quotes included.
    pub range: ByteRange,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A path, or a literal followed by steps.
    Path(Path),
    /// `'text'`.
    String(String, ByteRange),
    /// A number, normalized to JSON (`.5` is `0.5`, `5.` is `5.0`, `007` is `7`).
    Number(String, ByteRange),
    /// `true` or `false`.
    Bool(bool, ByteRange),
    /// `null`.
    Null(ByteRange),
    /// `{ key: expr … }`.
    Object(Vec<(Key, Self)>, ByteRange),
    /// `{ … }` as a value, from v0.4 on: an item list with the outer `$` and `@`.
    Group(Selection),
    /// `[expr …]`.
    List(Vec<Self>, ByteRange),
    /// `a ?? b`, `a ?! b`.
    Choice(Choice, Vec<Self>),
}

/// The operator of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `??`: skips absent and null operands.
    Coalesce,
    /// `?!`: skips absent operands only.
    Exists,
}

/// A path: a head, steps, and an optional selection in braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The first value.
    pub head: Head,
    /// The steps, applied from left to right.
    pub steps: Vec<Step>,
    /// `{ … }` after the last step.
    pub group: Option<Selection>,
    /// The range of the whole path.
    pub range: ByteRange,
}

/// The first value of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// A key of `$`.
    Key(Key),
    /// `$`.
    Dollar(ByteRange),
    /// `@`.
    At(ByteRange),
    /// `$name`, without the dollar sign.
    Variable(Key),
    /// `$(…)`, or a literal followed by steps.
    Expr(Box<Expr>),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `.key`.
    Key(Key),
    /// `->name` or `->name(…)`; `None` without parentheses, which is different from `()`.
    Method(Key, Option<Vec<Expr>>),
    /// `?`.
    Question(ByteRange),
}
