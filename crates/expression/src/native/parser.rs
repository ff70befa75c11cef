//! From source to tree. A subset of JavaScript's grammar; anything outside of it is left to the engine.

use millrace_model::{Str, Value};

use super::{
    WhyNot,
    functions::Function,
    literals, roots,
    syntax::{Binary, Chain, Expression, Link, Logic, Step, Unary},
};
use crate::rewrite;
use crate::tokens::{Kind, Token, tokenize};

/// Longest source and deepest nesting; what is beyond is rare, and the engine has limits of its own.
const MAX_SOURCE: usize = 16 << 10;
const MAX_DEPTH: usize = 48;

type Parsed<T = Expression> = Result<T, WhyNot>;

/// Parses one expression, with an optional semicolon after it.
pub(super) fn parse(source: &str) -> Parsed {
    if source.len() > MAX_SOURCE {
        return Err(WhyNot("the expression is long".into()));
    }
    let tokens = tokenize(source).ok_or_else(|| WhyNot("the syntax is not valid".into()))?;
    let end = tokens.iter().rposition(|token| !token.is(";")).map_or(0, |last| last + 1);
    let mut parser = Parser { tokens: tokens.get(..end).unwrap_or_default(), at: 0, depth: 0 };
    let expression = parser.conditional()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(parser.unknown(token)),
    }
}

pub(super) struct Parser<'t, 's> {
    tokens: &'t [Token<'s>],
    at: usize,
    depth: usize,
}

impl<'t, 's> Parser<'t, 's> {
    pub(super) fn peek(&self) -> Option<&'t Token<'s>> {
        self.tokens.get(self.at)
    }

    pub(super) fn next(&mut self) -> Parsed<&'t Token<'s>> {
        let token = self.peek().ok_or_else(|| WhyNot("the expression ends early".into()))?;
        self.at += 1;
        Ok(token)
    }

    /// Steps over a mark if it is the next token.
    pub(super) fn take(&mut self, mark: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(mark));
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.take(mark) { Ok(()) } else { Err(WhyNot(format!("`{mark}` was expected"))) }
    }

    pub(super) fn unknown(&self, token: &Token<'_>) -> WhyNot {
        WhyNot(format!("`{}` has no native form", token.text))
    }

    /// A name after a dot, or of a variable; names that n8n forbids get its error from the engine.
    pub(super) fn name(&mut self) -> Parsed<&'s str> {
        let token = self.next()?;
        if token.kind != Kind::Name || token.text.contains('\\') || rewrite::is_forbidden(token.text) {
            return Err(self.unknown(token));
        }
        Ok(token.text)
    }

    pub(super) fn conditional(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(WhyNot("the expression is deeply nested".into()));
        }
        let condition = self.coalesced()?;
        let expression = if self.take("?") {
            let yes = self.conditional()?;
            self.expect(":")?;
            let no = self.conditional()?;
            Expression::Condition(Box::new((condition, yes, no)))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expression)
    }

    /// `??` may not stand beside `||` or `&&` without parentheses.
    fn coalesced(&mut self) -> Parsed {
        let start = self.at;
        let mut left = self.disjunction()?;
        let mixed = matches!(left, Expression::Logic(Logic::And | Logic::Or, ..))
            && !self.tokens.get(start).is_some_and(|token| token.is("(") && self.closes_at_end(start));
        while self.peek().is_some_and(|token| token.is("??")) {
            if mixed {
                return Err(WhyNot("`??` is mixed with other logic".into()));
            }
            self.at += 1;
            let right = self.equality()?;
            left = Expression::Logic(Logic::Coalesce, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// Does the parenthesis at `open` end right before the next token?
    fn closes_at_end(&self, open: usize) -> bool {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().take(self.at).skip(open) {
            depth += usize::from(token.is("("));
            depth -= usize::from(token.is(")") && depth > 0);
            if depth == 0 {
                return at + 1 == self.at;
            }
        }
        false
    }

    fn disjunction(&mut self) -> Parsed {
        let mut left = self.conjunction()?;
        while self.take("||") {
            left = Expression::Logic(Logic::Or, Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Parsed {
        let mut left = self.equality()?;
        while self.take("&&") {
            left = Expression::Logic(Logic::And, Box::new(left), Box::new(self.equality()?));
        }
        Ok(left)
    }

    fn equality(&mut self) -> Parsed {
        self.levels(
            &[("===", Binary::Same), ("!==", Binary::NotSame), ("==", Binary::Equal), ("!=", Binary::NotEqual)],
            |parser| {
                parser.levels(
                    &[
                        ("<=", Binary::LessOrEqual),
                        (">=", Binary::GreaterOrEqual),
                        ("<", Binary::Less),
                        (">", Binary::Greater),
                    ],
                    |parser| {
                        parser.levels(&[("+", Binary::Add), ("-", Binary::Subtract)], |parser| {
                            let products = [("*", Binary::Multiply), ("/", Binary::Divide), ("%", Binary::Remainder)];
                            parser.levels(&products, Parser::unary)
                        })
                    },
                )
            },
        )
    }

    /// Operators of one rank, from left to right.
    fn levels(&mut self, operators: &[(&str, Binary)], operand: impl Fn(&mut Self) -> Parsed) -> Parsed {
        let mut left = operand(self)?;
        while let Some((_, operator)) = self.peek().and_then(|token| operators.iter().find(|(mark, _)| token.is(mark)))
        {
            self.at += 1;
            left = Expression::Binary(*operator, Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let operator = match self.peek() {
            Some(token) if token.is("!") => Unary::Not,
            Some(token) if token.is("-") => Unary::Minus,
            Some(token) if token.is("+") => Unary::Plus,
            Some(token) if token.kind == Kind::Name && token.text == "typeof" => Unary::TypeOf,
            _ => return self.chain(),
        };
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(WhyNot("the expression is deeply nested".into()));
        }
        let operand = self.unary()?;
        self.depth -= 1;
        Ok(match (operator, operand) {
            (Unary::Minus, Expression::Constant(Value::Number(number))) => Expression::Constant(Value::Number(-number)),
            (operator, operand) => Expression::Unary(operator, Box::new(operand)),
        })
    }

    fn chain(&mut self) -> Parsed {
        let start = self.primary()?;
        let mut links = Vec::new();
        while let Some(link) = self.link()? {
            links.push(link);
        }
        if links.is_empty() {
            return Ok(start);
        }
        let optional = links.iter().any(|link| link.optional);
        Ok(Expression::Chain(Box::new(Chain { start, links, optional })))
    }

    fn primary(&mut self) -> Parsed {
        let token = self.next()?;
        match token.kind {
            Kind::Number => literals::number(token.text)
                .map(|number| Expression::Constant(number.into()))
                .ok_or_else(|| self.unknown(token)),
            Kind::String => self.text(token, token.text).map(|text| Expression::Constant(text.into())),
            Kind::Template => self.template(token),
            Kind::Name => match token.text {
                "true" => Ok(Expression::Constant(true.into())),
                "false" => Ok(Expression::Constant(false.into())),
                "null" => Ok(Expression::Constant(Value::Null)),
                "undefined" => Ok(Expression::Constant(Value::Undefined)),
                "NaN" => Ok(Expression::Constant(f64::NAN.into())),
                "Infinity" => Ok(Expression::Constant(f64::INFINITY.into())),
                "$if" => self.lazy_if(token),
                name if name.starts_with('$') && Function::named(name).is_none() => self.root(token),
                name => self.function(name, token),
            },
            Kind::Mark if token.is("(") => {
                let inner = self.conditional()?;
                self.expect(")")?;
                Ok(inner)
            }
            Kind::Mark if token.is("[") => self.list("]").map(Expression::Array),
            Kind::Mark if token.is("{") => self.object(),
            _ => Err(self.unknown(token)),
        }
    }

    /// The text of a literal without its quotes or marks, of one byte at the start and the rest of `text` as given.
    fn text(&self, token: &Token<'_>, text: &str) -> Parsed<Str> {
        let inner = text.get(1..text.len().saturating_sub(1));
        inner.and_then(literals::string).ok_or_else(|| self.unknown(token))
    }

    fn template(&mut self, token: &Token<'_>) -> Parsed {
        if !token.opens_template() {
            return Err(self.unknown(token));
        }
        let mut piece = *token;
        let mut texts = Vec::new();
        let mut values = Vec::new();
        loop {
            let closes = piece.closes_template();
            // `${` has one mark more than a backtick.
            let text = if closes { piece.text } else { piece.text.strip_suffix('{').unwrap_or_default() };
            texts.push(self.text(&piece, text)?);
            if closes {
                break;
            }
            values.push(self.conditional()?);
            piece = *self.next()?;
            if piece.kind != Kind::Template || piece.opens_template() {
                return Err(self.unknown(&piece));
            }
        }
        let mut texts = texts.into_iter();
        let first = texts.next().unwrap_or_default();
        Ok(Expression::Template(first, values.into_iter().zip(texts).collect()))
    }

    /// Expressions between commas, up to a closing mark.
    pub(super) fn list(&mut self, close: &str) -> Parsed<Vec<Expression>> {
        let mut elements = Vec::new();
        while !self.take(close) {
            elements.push(self.conditional()?);
            if !self.take(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(elements)
    }

    fn object(&mut self) -> Parsed {
        let mut fields: Vec<(Str, Expression)> = Vec::new();
        while !self.take("}") {
            let token = self.next()?;
            let key = match token.kind {
                Kind::Name if !token.text.contains('\\') => token.text.into(),
                Kind::String => self.text(token, token.text)?,
                _ => return Err(self.unknown(token)),
            };
            if rewrite::is_forbidden(&key) {
                return Err(self.unknown(token));
            }
            self.expect(":")?;
            fields.push((key, self.conditional()?));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Expression::Object(fields))
    }

    /// `.name`, `?.name`, `[key]`, `?.[key]`, `.method(…)`.
    fn link(&mut self) -> Parsed<Option<Link>> {
        let optional = match self.peek() {
            Some(token) if token.is("?.") => true,
            Some(token) if token.is(".") || token.is("[") => false,
            Some(token) if token.is("(") || token.opens_template() => return Err(self.unknown(token)),
            _ => return Ok(None),
        };
        if !self.peek().is_some_and(|token| token.is("[")) {
            self.at += 1;
        }
        let step = if self.take("[") {
            let key = self.conditional()?;
            self.expect("]")?;
            match key {
                Expression::Constant(Value::String(name)) if rewrite::is_forbidden(&name) => {
                    return Err(WhyNot(format!("`{name}` is not to be read")));
                }
                Expression::Constant(Value::String(name)) => Step::Field(name),
                key => Step::Index(key),
            }
        } else {
            let name = self.name()?;
            self.field_or_call(name)?
        };
        Ok(Some(Link { optional, step }))
    }

    /// Data of the run: what `roots` knows by the name.
    fn root(&mut self, token: &Token<'_>) -> Parsed {
        roots::parse(self, token).map(Expression::Root)
    }
}
