//! The tree of a compiled expression.

use millrace_model::{Str, Value, truthy};

use super::{functions::Function, methods::Method};

#[derive(Debug)]
pub(super) enum Expression {
    Constant(Value),
    Root(Root),
    Chain(Box<Chain>),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Logic(Logic, Box<Expression>, Box<Expression>),
    Condition(Box<(Expression, Expression, Expression)>),
    /// Text, then values each with the text after it.
    Template(Str, Vec<(Expression, Str)>),
    Array(Vec<Expression>),
    Object(Vec<(Str, Expression)>),
    Call(Function, Vec<Expression>),
}

/// Data of the run.
#[derive(Debug)]
pub(super) enum Root {
    Json,
    /// JSON of an item of the current node's first input.
    Input(Pick),
    /// JSON of an item of another node: `$("name").item.json` and its like.
    Node(Str, Pick),
    /// `$node["name"].json`.
    LegacyNode(Str),
    ItemIndex,
    RunIndex,
    WorkflowId,
    WorkflowName,
    WorkflowActive,
    ExecutionId,
    ExecutionMode,
    ResumeUrl,
    PreviousName,
    PreviousOutput,
    PreviousRun,
    Variables,
    Environment,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pick {
    Item,
    First,
    Last,
}

/// A value and what is read from it. An optional step cuts the whole chain short.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) start: Expression,
    pub(super) links: Vec<Link>,
    /// Is any link optional?
    pub(super) optional: bool,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) optional: bool,
    pub(super) step: Step,
}

#[derive(Debug)]
pub(super) enum Step {
    Field(Str),
    Index(Expression),
    Call(Method, Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
    TypeOf,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Same,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Logic {
    And,
    Or,
    Coalesce,
}

impl Logic {
    /// Is the left side the result?
    pub(super) fn keeps(self, left: &Value) -> bool {
        match self {
            Logic::And => !truthy(left),
            Logic::Or => truthy(left),
            Logic::Coalesce => !left.is_nullish(),
        }
    }
}
