//! Parses mappings.
//!
//! One function per grammar rule: item lists here, paths in [`path`], expressions in [`expr`].
//! The version decides which syntax is allowed; an error for newer syntax names the version.
//! Nesting is bounded, so that traversals of a tree can be recursive.

use super::ast::{Expr, Head, Item, Key, Member, MemberValue, Path, Selection, Step};
use super::error::ParseError;
use super::scan::{Scanner, is_name_part};
use super::version::Version;

mod expr;
mod path;
mod unexpected;

/// Maximum nesting of braces, brackets, parentheses and methods, in levels.
///
/// A method counts one level more than its input, because its value may be one level deeper. So
/// the value of a mapping is at most this much deeper than the deepest input.
pub const MAX_NESTING: usize = 64;

pub(super) fn parse(text: &str, version: Version) -> Result<Selection, ParseError> {
    let mut parser = Parser {
        scan: Scanner::new(text),
        version,
        level: 0,
        deepest: 0,
    };
    parser.whole()
}

struct Parser<'t> {
    scan: Scanner<'t>,
    version: Version,
    /// The level of the current position.
    level: usize,
    /// The deepest level so far inside the innermost path.
    deepest: usize,
}

/// An item, before it is known whether it is alone in its list.
enum ParsedItem {
    Item(Item),
    Anonymous(Path),
}

type ParseResult<T> = Result<T, ParseError>;

impl Parser<'_> {
    fn whole(&mut self) -> ParseResult<Selection> {
        if self.version < Version::V0_4 {
            return self.top_items();
        }
        let expr_error = match self.whole_expr() {
            Ok(Some(selection)) => return Ok(selection),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        self.restart();
        // The error of the attempt that got further is probably the relevant one.
        self.top_items().map_err(|error| match expr_error {
            Some(other) if other.range.start > error.range.start => other,
            _ => error,
        })
    }

    /// v0.4: parses the whole text as one expression; `None` for a single field.
    fn whole_expr(&mut self) -> ParseResult<Option<Selection>> {
        self.scan.skip_trivia();
        let start = self.scan.at();
        let expr = self.expr()?;
        let range = start..self.scan.at();
        self.end()?;
        Ok(match expr {
            Expr::Group(selection) => Some(selection),
            Expr::Path(path) if field_key(&path).is_some() => None,
            expr => Some(Selection {
                items: vec![Item::Whole(expr)],
                range,
            }),
        })
    }

    fn restart(&mut self) {
        self.scan.reset_to(0);
        self.level = 0;
        self.deepest = 0;
    }

    fn top_items(&mut self) -> ParseResult<Selection> {
        let (items, range) = self.items()?;
        self.end()?;
        let items = match only_item(items) {
            Ok(ParsedItem::Item(item)) => vec![item],
            Ok(ParsedItem::Anonymous(path)) => vec![Item::Whole(Expr::Path(path))],
            Err(items) => items_among_others(items)?,
        };
        Ok(Selection { items, range })
    }

    /// Parses `{ … }` at the opening brace.
    fn group(&mut self) -> ParseResult<Selection> {
        let start = self.scan.at();
        self.scan.eat("{");
        let (items, range) = self.nested(start, Self::items)?;
        self.scan.skip_trivia();
        if !self.scan.eat("}") {
            return Err(self.unexpected("a field, `alias: …` or `}`"));
        }
        let items = match only_item(items) {
            Ok(ParsedItem::Anonymous(path))
                if path.group.is_none() && self.version >= Version::V0_3 =>
            {
                vec![Item::Whole(Expr::Path(path))]
            }
            Ok(item) => items_among_others(vec![item])?,
            Err(items) => items_among_others(items)?,
        };
        Ok(Selection { items, range })
    }

    fn items(&mut self) -> ParseResult<(Vec<ParsedItem>, std::ops::Range<usize>)> {
        self.scan.skip_trivia();
        let start = self.scan.at();
        let mut end = start;
        let mut items = Vec::new();
        let mut has_commas = None;
        while !matches!(self.scan.peek(), None | Some('}')) {
            items.push(self.item()?);
            end = self.scan.at();
            self.check_apart()?;
            self.scan.skip_trivia();
            self.separator(&mut has_commas)?;
        }
        Ok((items, start..end))
    }

    /// v0.4: a list has commas between all items or none.
    fn separator(&mut self, has_commas: &mut Option<bool>) -> ParseResult<()> {
        let is_end = matches!(self.scan.peek(), None | Some('}'));
        let start = self.scan.at();
        let comma = self.scan.peek() == Some(',');
        if comma && self.version < Version::V0_4 {
            return Err(ParseError::new(
                start..start + 1,
                "commas between items need connect v0.4",
            )
            .help("remove the comma"));
        }
        match *has_commas {
            Some(true) if !comma && !is_end => {
                return Err(self.unexpected("`,`, as between the items before"));
            }
            Some(false) if comma => {
                return Err(ParseError::new(
                    start..start + 1,
                    "a comma after items without commas",
                )
                .help("write commas between all items, or none"));
            }
            _ => {}
        }
        *has_commas = has_commas.or(Some(comma));
        if comma {
            self.scan.eat(",");
            self.scan.skip_trivia();
        }
        Ok(())
    }

    /// Reports an item that starts within a word.
    fn check_apart(&self) -> ParseResult<()> {
        match self.scan.peek() {
            Some(next) if is_name_part(next) && self.touches_name() => {
                Err(self.unexpected("a space before the next item"))
            }
            Some('-') if !self.scan.rest().starts_with("->") => Err(self.unusual_key()),
            Some('[') => Err(self.unusual_key()),
            _ => Ok(()),
        }
    }

    fn item(&mut self) -> ParseResult<ParsedItem> {
        if self.scan.rest().starts_with("...") {
            return self.spread();
        }
        if let Some(key) = self.alias()? {
            let value = self.alias_value()?;
            return Ok(ParsedItem::Item(Item::Member(Member { key, value })));
        }
        let path = self.path("a field, `alias: …` or a path")?;
        Ok(match field_key(&path) {
            Some(key) => ParsedItem::Item(Item::Member(Member {
                key: key.clone(),
                value: MemberValue::Expr(Expr::Path(path)),
            })),
            None => ParsedItem::Anonymous(path),
        })
    }

    fn spread(&mut self) -> ParseResult<ParsedItem> {
        let start = self.scan.at();
        if self.version < Version::V0_4 {
            return Err(
                ParseError::new(start..start + 3, "`...` needs connect v0.4").help(
                    "write the path with braces, `path { … }`, which is equivalent among other items",
                ),
            );
        }
        self.scan.eat("...");
        self.scan.skip_trivia();
        let path = self.path("a path after `...`")?;
        Ok(ParsedItem::Item(Item::Spread(path)))
    }

    fn alias(&mut self) -> ParseResult<Option<Key>> {
        let start = self.scan.at();
        if let Some(key) = self.key()? {
            self.scan.skip_trivia();
            if self.scan.eat(":") {
                self.scan.skip_trivia();
                return Ok(Some(key));
            }
        }
        self.scan.reset_to(start);
        Ok(None)
    }

    fn alias_value(&mut self) -> ParseResult<MemberValue> {
        if self.version >= Version::V0_4 {
            return self.expr().map(MemberValue::Expr);
        }
        if self.scan.peek() == Some('{') {
            return self.group().map(MemberValue::Group);
        }
        if let Some('[' | '0'..='9' | '-' | '.') = self.scan.peek() {
            return Err(self
                .unexpected("a field, a path or `{` after the alias")
                .help("write a literal in parentheses, as in `$(5)` or `$(['a', 'b'])`"));
        }
        let path = self.path("a field, a path or `{` after the alias")?;
        Ok(MemberValue::Expr(Expr::Path(path)))
    }

    fn key(&mut self) -> ParseResult<Option<Key>> {
        if let Some((name, range)) = self.scan.name() {
            return Ok(Some(Key {
                name: name.to_owned(),
                range,
            }));
        }
        match self.scan.string() {
            Some(Ok((name, range))) => Ok(Some(Key { name, range })),
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }

    /// Runs a parser one level deeper, for syntax that starts at `start`.
    fn nested<T>(
        &mut self,
        start: usize,
        parse: impl FnOnce(&mut Self) -> ParseResult<T>,
    ) -> ParseResult<T> {
        let level = self.level;
        self.deeper(start)?;
        let result = parse(self)?;
        self.level = level;
        Ok(result)
    }

    fn deeper(&mut self, start: usize) -> ParseResult<()> {
        self.level += 1;
        self.deepest = self.deepest.max(self.level);
        if self.level > MAX_NESTING {
            return Err(ParseError::new(
                start..self.scan.at(),
                format!("nested more than {MAX_NESTING} levels deep"),
            )
            .help("split the mapping, or shorten the chain of methods"));
        }
        Ok(())
    }

    fn end(&mut self) -> ParseResult<()> {
        self.scan.skip_trivia();
        if self.scan.rest().is_empty() {
            return Ok(());
        }
        Err(self.unexpected("a field, `alias: …` or the end"))
    }
}

/// The only item; `Err` with all items if there is not exactly one.
fn only_item(mut items: Vec<ParsedItem>) -> Result<ParsedItem, Vec<ParsedItem>> {
    match items.pop() {
        Some(last) if items.is_empty() => Ok(last),
        Some(last) => {
            items.push(last);
            Err(items)
        }
        None => Err(items),
    }
}

fn items_among_others(items: Vec<ParsedItem>) -> ParseResult<Vec<Item>> {
    items
        .into_iter()
        .map(|item| match item {
            ParsedItem::Item(item) => Ok(item),
            ParsedItem::Anonymous(path) if path.group.is_some() => Ok(Item::Spread(path)),
            ParsedItem::Anonymous(path) => Err(ParseError::new(
                path.range,
                "a path without an alias among other items",
            )
            .help("add an alias, `alias: path`, or end it with braces")),
        })
        .collect()
}

/// The key of a path that is a field, and so its own alias.
fn field_key(path: &Path) -> Option<&Key> {
    match &path.head {
        Head::Key(key)
            if path
                .steps
                .iter()
                .all(|step| matches!(step, Step::Question(_))) =>
        {
            Some(key)
        }
        _ => None,
    }
}
