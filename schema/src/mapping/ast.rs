//! The mapping language as a tree, ranges kept.
//!
//! Ranges are byte offsets in the mapping's own text.

use std::ops::Range;

/// Which bytes of the mapping text.
pub type ByteRange = Range<usize>;

/// An item list: a whole mapping, or what stands between braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// In the order written.
    pub items: Vec<Item>,
    /// From the first to the last item, braces excluded.
    pub range: ByteRange,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `alias: …`, or a field, which is its own alias: gives one member.
    Member(Member),
    /// An anonymous path alone in its list: its value is the value of the whole list.
    Whole(Expr),
    /// An anonymous path with braces beside others (or `...path`): its members join the enclosing object.
    Spread(Path),
}

/// An item that gives one member of the enclosing object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The name under which the value appears.
    pub key: Key,
    /// Where the value comes from.
    pub value: MemberValue,
}

/// What follows an alias.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberValue {
    /// `alias: { … }`: same `$` and `@` as around it. From v0.4 on this is an [`Expr::Group`].
    Group(Selection),
    /// `alias: path`, or the field itself (`name`, `name?`, `name { … }`: a path whose head is the key).
    /// From v0.4 on also a literal or an operator.
    Expr(Expr),
}

/// A name or quoted string used as a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Unquoted.
    pub name: String,
    /// Quotes included.
    pub range: ByteRange,
}

/// A value that is computed.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A path, or a literal with steps behind it.
    Path(Path),
    /// `'text'`.
    String(String, ByteRange),
    /// A number as JSON would write it (`.5` is `0.5`, `5.` is `5.0`, `007` is `7`).
    Number(String, ByteRange),
    /// `true` or `false`.
    Bool(bool, ByteRange),
    /// `null`.
    Null(ByteRange),
    /// `{ key: expr … }`.
    Object(Vec<(Key, Self)>, ByteRange),
    /// From v0.4 on `{ … }` as a value: an item list with the `$` and `@` of its surroundings.
    Group(Selection),
    /// `[expr …]`.
    List(Vec<Self>, ByteRange),
    /// `a ?? b`, `a ?! b`.
    Choice(Choice, Vec<Self>),
}

/// Which operator joins the operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `??`: skips absent and null.
    Coalesce,
    /// `?!`: skips absent only.
    Exists,
}

/// A head, steps, and braces at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Where it starts.
    pub head: Head,
    /// What is done with the value, left to right.
    pub steps: Vec<Step>,
    /// `{ … }` behind the last step.
    pub group: Option<Selection>,
    /// The whole path.
    pub range: ByteRange,
}

/// Where a path starts.
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
    /// `$(…)`, or a literal that steps follow.
    Expr(Box<Expr>),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `.key`.
    Key(Key),
    /// `->name` or `->name(…)`; `None` without parentheses, which differ from empty ones.
    Method(Key, Option<Vec<Expr>>),
    /// `?`.
    Question(ByteRange),
}
