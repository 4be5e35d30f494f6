//! Parses paths: a head, steps, and an optional selection in braces.

use super::{ParseResult, Parser};
use crate::mapping::ast::{Head, Key, Path, Step};
use crate::mapping::error::ParseError;
use crate::mapping::version::Version;

impl Parser<'_> {
    /// Parses a path; `expected` describes it in the error message.
    pub(super) fn path(&mut self, expected: &str) -> ParseResult<Path> {
        let start = self.scan.at();
        let (level, deepest) = (self.level, self.deepest);
        self.deepest = level;
        let head = self.head(expected)?;
        let path = self.after_head(head, start)?;
        self.level = level;
        self.deepest = self.deepest.max(deepest);
        Ok(path)
    }

    fn head(&mut self, expected: &str) -> ParseResult<Head> {
        let start = self.scan.at();
        if self.scan.eat("$(") {
            let expr = self.nested(start, |parser| {
                parser.scan.skip_trivia();
                parser.expr()
            })?;
            self.scan.skip_trivia();
            if !self.scan.eat(")") {
                return Err(self.unexpected("an operator or `)`"));
            }
            return Ok(Head::Expr(Box::new(expr)));
        }
        if self.scan.eat("$") {
            return Ok(match self.scan.name() {
                Some((name, range)) => Head::Variable(Key {
                    name: name.to_owned(),
                    range: start..range.end,
                }),
                None => Head::Dollar(start..start + 1),
            });
        }
        if self.scan.eat("@") {
            return Ok(Head::At(start..start + 1));
        }
        match self.key()? {
            Some(key) => Ok(Head::Key(key)),
            None => Err(self.unexpected(expected)),
        }
    }

    /// Parses the steps and braces after a head that started at `start`.
    pub(super) fn after_head(&mut self, head: Head, start: usize) -> ParseResult<Path> {
        self.level = self.deepest;
        let mut steps = Vec::new();
        let mut end = self.scan.at();
        while let Some(step) = self.step(steps.last())? {
            steps.push(step);
            end = self.scan.at();
        }
        self.scan.reset_to(end);
        self.scan.skip_trivia();
        let group = if self.scan.peek() == Some('{') {
            let group = self.group()?;
            end = self.scan.at();
            Some(group)
        } else {
            None
        };
        self.scan.reset_to(end);
        Ok(Path {
            head,
            steps,
            group,
            range: start..end,
        })
    }

    fn step(&mut self, last: Option<&Step>) -> ParseResult<Option<Step>> {
        self.scan.skip_trivia();
        let start = self.scan.at();
        if self.scan.rest().starts_with("...") {
            return Ok(None);
        }
        if self.scan.eat(".") {
            self.scan.skip_trivia();
            return match self.key()? {
                Some(key) => Ok(Some(Step::Key(key))),
                None => Err(self.unexpected("a key after `.`")),
            };
        }
        if self.scan.eat("->") {
            self.scan.skip_trivia();
            return self.method().map(Some);
        }
        if self.scan.rest().starts_with("??") || self.scan.rest().starts_with("?!") {
            return Ok(None);
        }
        if self.scan.eat("?") {
            return self.question(start, last).map(Some);
        }
        Ok(None)
    }

    fn question(&self, start: usize, last: Option<&Step>) -> ParseResult<Step> {
        let range = start..start + 1;
        if self.version < Version::V0_3 {
            return Err(ParseError::new(range, "`?` needs connect v0.3"));
        }
        if matches!(last, Some(Step::Question(_))) {
            return Err(ParseError::new(range, "duplicate `?`").help("write it once"));
        }
        Ok(Step::Question(range))
    }

    fn method(&mut self) -> ParseResult<Step> {
        let Some((name, range)) = self.scan.name() else {
            return Err(self.unexpected("the name of a method after `->`"));
        };
        let key = Key {
            name: name.to_owned(),
            range,
        };
        let before = self.scan.at();
        self.scan.skip_trivia();
        let args = if self.scan.peek() == Some('(') {
            Some(self.arguments()?)
        } else {
            self.scan.reset_to(before);
            None
        };
        self.level = self.deepest;
        self.deeper(key.range.start)?;
        Ok(Step::Method(key, args))
    }
}
