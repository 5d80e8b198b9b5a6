//! How far a template may go: no input runs without an end, or takes all of the memory or the stack.

/// How many words a template's text may have: names, numbers, signs, delimiters, and texts between actions.
pub(super) const TOKENS: usize = 1_000_000;

/// How deep blocks may nest in a template's text.
pub(super) const NESTING: usize = 500;

/// How deep parentheses may nest in an action.
pub(super) const PARENTHESES: usize = 100;

/// How deep templates may call each other. (Go allows 100,000.)
pub(super) const TEMPLATE_DEPTH: usize = 1000;

/// How deep expressions may be in each other while they are evaluated: parentheses, and templates that `include` each
/// other. Unlike all other nesting, this takes stack.
pub(super) const EXPRESSION_DEPTH: usize = 120;

/// How many variables a body may see at a time.
pub(super) const VARIABLES: usize = 1000;

/// The longest text that a template, or a function in it, may make, in bytes.
pub(super) const OUTPUT: usize = 16 << 20;

/// How many steps an execution may take: nodes, iterations, calls, and one for every [`BYTES_PER_STEP`] that a call reads or
/// makes, or that are written. What a function makes counts with all that is in it: so it is not too deep, either.
pub(super) const STEPS: usize = 10_000_000;

/// How many variables that are passed over to find one count as a step.
pub(super) const VARIABLES_PER_STEP: usize = 16;

/// How many bytes of what functions read or make count as a step.
pub(super) const BYTES_PER_STEP: usize = 16;
