//! Prints syntax trees.
//!
//! The output parses to the same tree except for ranges. Comments and spacing are lost.

use std::fmt::{self, Display, Formatter, Write};

use super::Mapping;
use super::ast::{Choice, Expr, Head, Item, Key, Member, MemberValue, Path, Selection, Step};
use super::version::Version;

impl Display for Mapping {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut printer = Printer {
            out: formatter,
            version: self.version(),
        };
        if self.version() >= Version::V0_4 && reads_as_literal(self.ast()) {
            printer.group(self.ast())
        } else {
            printer.items(self.ast())
        }
    }
}

struct Printer<'p, 'f> {
    out: &'p mut Formatter<'f>,
    version: Version,
}

impl Printer<'_, '_> {
    fn items(&mut self, selection: &Selection) -> fmt::Result {
        for (index, item) in selection.items.iter().enumerate() {
            if index > 0 {
                self.out.write_char(' ')?;
            }
            match item {
                Item::Member(member) => self.member(member)?,
                Item::Whole(expr) => self.expr(expr)?,
                Item::Spread(path) => {
                    if self.version >= Version::V0_4 {
                        self.out.write_str("...")?;
                    }
                    self.path(path)?;
                }
            }
        }
        Ok(())
    }

    fn group(&mut self, selection: &Selection) -> fmt::Result {
        if selection.items.is_empty() {
            return self.out.write_str("{}");
        }
        self.out.write_str("{ ")?;
        self.items(selection)?;
        self.out.write_str(" }")
    }

    fn member(&mut self, member: &Member) -> fmt::Result {
        if is_field(member) {
            return match &member.value {
                MemberValue::Expr(expr) => self.expr(expr),
                MemberValue::Group(group) => self.group(group),
            };
        }
        self.key(&member.key)?;
        self.out.write_str(": ")?;
        match &member.value {
            MemberValue::Group(group) => self.group(group),
            MemberValue::Expr(expr) => self.expr(expr),
        }
    }

    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        match expr {
            Expr::Path(path) => self.path(path),
            Expr::String(text, _) => self.string(text),
            Expr::Number(text, _) => self.out.write_str(text),
            Expr::Bool(value, _) => write!(self.out, "{value}"),
            Expr::Null(_) => self.out.write_str("null"),
            Expr::Group(group) => self.group(group),
            Expr::Object(members, _) => {
                self.separated("{", "}", members, |printer, (key, value)| {
                    printer.key(key)?;
                    printer.out.write_str(": ")?;
                    printer.expr(value)
                })
            }
            Expr::List(elements, _) => self.separated("[", "]", elements, Self::expr),
            Expr::Choice(choice, operands) => {
                let operator = match choice {
                    Choice::Coalesce => " ?? ",
                    Choice::Exists => " ?! ",
                };
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        self.out.write_str(operator)?;
                    }
                    self.expr(operand)?;
                }
                Ok(())
            }
        }
    }

    fn path(&mut self, path: &Path) -> fmt::Result {
        match &path.head {
            Head::Key(key) => self.key(key)?,
            Head::Dollar(_) => self.out.write_char('$')?,
            Head::At(_) => self.out.write_char('@')?,
            Head::Variable(key) => write!(self.out, "${}", key.name)?,
            Head::Expr(expr) if is_bare(expr, path) => {
                self.expr(expr)?;
                if matches!(**expr, Expr::Number(..))
                    && matches!(path.steps[..], [Step::Key(_), ..])
                {
                    // Without a space, the period would be part of the number.
                    self.out.write_char(' ')?;
                }
            }
            Head::Expr(expr) => {
                self.out.write_str("$(")?;
                self.expr(expr)?;
                self.out.write_char(')')?;
            }
        }
        for step in &path.steps {
            self.step(step)?;
        }
        match &path.group {
            Some(group) => {
                self.out.write_char(' ')?;
                self.group(group)
            }
            None => Ok(()),
        }
    }

    fn step(&mut self, step: &Step) -> fmt::Result {
        match step {
            Step::Key(key) => {
                self.out.write_char('.')?;
                self.key(key)
            }
            Step::Question(_) => self.out.write_char('?'),
            Step::Method(name, args) => {
                write!(self.out, "->{}", name.name)?;
                match args {
                    Some(args) => self.separated("(", ")", args, Self::expr),
                    None => Ok(()),
                }
            }
        }
    }

    fn separated<T>(
        &mut self,
        open: &str,
        close: &str,
        items: &[T],
        print: impl Fn(&mut Self, &T) -> fmt::Result,
    ) -> fmt::Result {
        self.out.write_str(open)?;
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.write_str(", ")?;
            }
            print(self, item)?;
        }
        self.out.write_str(close)
    }

    /// Prints a key with quotes only if the source has them, because quotes can change the meaning.
    fn key(&mut self, key: &Key) -> fmt::Result {
        if is_unquoted(key) {
            self.out.write_str(&key.name)
        } else {
            self.string(&key.name)
        }
    }

    fn string(&mut self, text: &str) -> fmt::Result {
        self.out.write_char('\'')?;
        for character in text.chars() {
            match character {
                '\n' => self.out.write_str("\\n")?,
                '\'' | '\\' => write!(self.out, "\\{character}")?,
                _ => self.out.write_char(character)?,
            }
        }
        self.out.write_char('\'')
    }
}

/// Whether a mapping of one path, printed without braces, would start with a literal, not a key.
fn reads_as_literal(selection: &Selection) -> bool {
    let path = match selection.items.as_slice() {
        [Item::Member(member)] if is_field(member) => match &member.value {
            MemberValue::Expr(Expr::Path(path)) => path,
            _ => return false,
        },
        [Item::Whole(Expr::Path(path))] => path,
        _ => return false,
    };
    match &path.head {
        Head::Key(key) => {
            !is_unquoted(key) || matches!(key.name.as_str(), "true" | "false" | "null")
        }
        _ => false,
    }
}

/// Whether a member is its own alias.
fn is_field(member: &Member) -> bool {
    match &member.value {
        MemberValue::Expr(Expr::Path(path)) => {
            matches!(&path.head, Head::Key(key) if key.range == member.key.range)
        }
        _ => false,
    }
}

/// Whether a literal is followed by its steps without `$(…)`.
fn is_bare(head: &Expr, path: &Path) -> bool {
    let start = match head {
        Expr::Path(_) | Expr::Choice(_, _) => return false,
        Expr::String(_, range)
        | Expr::Number(_, range)
        | Expr::Bool(_, range)
        | Expr::Null(range)
        | Expr::Object(_, range)
        | Expr::List(_, range) => range.start,
        Expr::Group(group) => group.range.start,
    };
    start == path.range.start
}

fn is_unquoted(key: &Key) -> bool {
    key.range.len() == key.name.len() && is_name(&key.name)
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    matches!(bytes.next(), Some(b'A'..=b'Z' | b'a'..=b'z' | b'_'))
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
