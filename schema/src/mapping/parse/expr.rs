//! Parses expressions: the content of `$(…)`, literals and method arguments.
//!
//! In an expression a bare word is a path, quoted text a string, and `true`, `false` and `null`
//! are literals.

use super::{ParseResult, Parser};
use crate::mapping::ast::{ByteRange, Choice, Expr, Head, Path};
use crate::mapping::error::ParseError;
use crate::mapping::version::Version;

impl Parser<'_> {
    /// Parses operands joined by one operator, from the first character on.
    pub(super) fn expr(&mut self) -> ParseResult<Expr> {
        let first = self.operand()?;
        let mut operands = vec![first];
        let mut previous = None;
        loop {
            let end = self.scan.at();
            self.scan.skip_trivia();
            let start = self.scan.at();
            let Some(operator) = self.operator() else {
                self.scan.reset_to(end);
                break;
            };
            self.check_operator(operator, previous, start)?;
            previous = Some(operator);
            self.scan.skip_trivia();
            operands.push(self.operand()?);
        }
        match (previous, operands.pop()) {
            (Some(operator), Some(last)) => {
                operands.push(last);
                Ok(Expr::Choice(operator, operands))
            }
            (None, Some(only)) => Ok(only),
            (_, None) => Err(self.unexpected("a value")),
        }
    }

    fn operator(&mut self) -> Option<Choice> {
        if self.scan.eat("??") {
            Some(Choice::Coalesce)
        } else if self.scan.eat("?!") {
            Some(Choice::Exists)
        } else {
            None
        }
    }

    fn check_operator(
        &self,
        operator: Choice,
        previous: Option<Choice>,
        at: usize,
    ) -> ParseResult<()> {
        let range = at..at + 2;
        if self.version < Version::V0_3 {
            return Err(ParseError::new(range, "`??` and `?!` need connect v0.3"));
        }
        if previous.is_some_and(|previous| previous != operator) {
            return Err(ParseError::new(range, "`??` and `?!` in one expression")
                .help("put one of them in parentheses, `$(…)`"));
        }
        Ok(())
    }

    fn operand(&mut self) -> ParseResult<Expr> {
        let start = self.scan.at();
        let (level, deepest) = (self.level, self.deepest);
        self.deepest = level;
        let expr = match self.literal()? {
            Some(literal) => self.after_literal(literal, start)?,
            None => Expr::Path(self.checked_path()?),
        };
        self.level = level;
        self.deepest = self.deepest.max(deepest);
        Ok(expr)
    }

    /// Parses the steps after a literal.
    fn after_literal(&mut self, literal: Expr, start: usize) -> ParseResult<Expr> {
        let end = self.scan.at();
        let deepest = self.deepest;
        let path = self.after_head(Head::Dollar(start..end), start)?;
        if path.steps.is_empty() {
            // Braces directly after a literal are not part of it.
            self.scan.reset_to(end);
            self.deepest = deepest;
            return Ok(literal);
        }
        Ok(Expr::Path(Path {
            head: Head::Expr(Box::new(literal)),
            ..path
        }))
    }

    /// Parses a path; before v0.3 a single key is not a valid one.
    fn checked_path(&mut self) -> ParseResult<Path> {
        let path = self.path("a value")?;
        match &path.head {
            Head::Key(key) if path.steps.is_empty() && self.version < Version::V0_3 => {
                Err(ParseError::new(
                    key.range.clone(),
                    "a single key as a value needs connect v0.3",
                )
                .help(format!("write `$.{}`", key.name)))
            }
            _ => Ok(path),
        }
    }

    fn literal(&mut self) -> ParseResult<Option<Expr>> {
        if let Some(string) = self.scan.string() {
            return string.map(|(text, range)| Some(Expr::String(text, range)));
        }
        if let Some((number, range)) = self.scan.number() {
            return Ok(Some(Expr::Number(number, range)));
        }
        match self.scan.peek() {
            Some('{') if self.version >= Version::V0_4 => {
                self.group().map(|group| Some(Expr::Group(group)))
            }
            Some('{') => self.object().map(Some),
            Some('[') => self.list().map(Some),
            _ => Ok(self.keyword()),
        }
    }

    fn keyword(&mut self) -> Option<Expr> {
        let start = self.scan.at();
        let (name, range) = self.scan.name()?;
        match name {
            "true" => Some(Expr::Bool(true, range)),
            "false" => Some(Expr::Bool(false, range)),
            "null" => Some(Expr::Null(range)),
            _ => {
                self.scan.reset_to(start);
                None
            }
        }
    }

    fn object(&mut self) -> ParseResult<Expr> {
        let (members, range) = self.between("{", "}", "`,` or `}`", |parser| {
            let Some(key) = parser.key()? else {
                return Err(parser.unexpected("a key or `}`"));
            };
            parser.scan.skip_trivia();
            if !parser.scan.eat(":") {
                return Err(parser
                    .unexpected("`:`")
                    .help(format!("write `{0}: {0}`", key.name)));
            }
            parser.scan.skip_trivia();
            Ok((key, parser.expr()?))
        })?;
        Ok(Expr::Object(members, range))
    }

    fn list(&mut self) -> ParseResult<Expr> {
        let (elements, range) = self.between("[", "]", "`,` or `]`", Self::expr)?;
        Ok(Expr::List(elements, range))
    }

    pub(super) fn arguments(&mut self) -> ParseResult<Vec<Expr>> {
        let (arguments, _) = self.between("(", ")", "`,` or `)`", Self::expr)?;
        Ok(arguments)
    }

    /// Parses comma-separated items with an optional trailing comma, from the opening bracket on.
    fn between<T>(
        &mut self,
        open: &str,
        close: &str,
        expected: &str,
        parse: impl Fn(&mut Self) -> ParseResult<T>,
    ) -> ParseResult<(Vec<T>, ByteRange)> {
        let start = self.scan.at();
        self.scan.eat(open);
        let items = self.nested(start, |parser| {
            let mut items = Vec::new();
            loop {
                parser.scan.skip_trivia();
                if parser.scan.eat(close) {
                    return Ok(items);
                }
                items.push(parse(parser)?);
                parser.scan.skip_trivia();
                if !parser.scan.eat(",") && !parser.scan.rest().starts_with(close) {
                    return Err(parser.missing_comma(expected));
                }
            }
        })?;
        Ok((items, start..self.scan.at()))
    }
}
