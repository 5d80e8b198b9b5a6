//! Going through bodies. Those that are under way stand in a list, so that neither nesting nor templates that call each
//! other take any stack.

use std::slice::Iter;

use super::super::ast::{Arm, Branch, BranchKind, Call, Node, Pipe};
use super::super::operand::Operand;
use super::super::printf::display;
use super::super::{Error, Value, limits};
use super::{Evaluator, Name};

/// A body that is under way.
struct Frame<'t> {
    rest: Iter<'t, Node>,
    dot: Operand,
    /// How many variables are left at its end.
    variables: usize,
    kind: FrameKind<'t>,
}

enum FrameKind<'t> {
    /// Of an `if` or a `with`, or what follows its `else`.
    Plain,
    /// What follows the `else` of a range.
    AfterLoop,
    Loop(Loop<'t>),
    /// Of a template: the scope and the name of the body that called it.
    Template(usize, &'t str),
}

/// A range that is under way.
struct Loop<'t> {
    arm: &'t Arm,
    /// Keys and elements that are to come.
    items: Items,
    /// How many variables there are when an iteration starts.
    variables: usize,
}

type Items = Box<dyn Iterator<Item = (Operand, Operand)>>;

impl<'t> Evaluator<'t> {
    /// Carries a template's body out. It sees no variables but `$`.
    pub(super) fn body(&mut self, name: Name<'t>, body: &'t [Node], dot: Operand) -> Result<(), Error> {
        let mut frames = Vec::new();
        self.enter(name, body, dot, &mut frames)?;
        while let Some(frame) = frames.last_mut() {
            match frame.rest.next() {
                Some(node) => self.node(node, &mut frames)?,
                None => self.leave(&mut frames)?,
            }
        }
        Ok(())
    }

    fn enter(
        &mut self,
        name: Name<'t>,
        body: &'t [Node],
        dot: Operand,
        frames: &mut Vec<Frame<'t>>,
    ) -> Result<(), Error> {
        let variables = self.variables.len();
        let kind = FrameKind::Template(self.scope, self.running);
        self.templates += 1;
        self.scope = variables;
        self.running = name;
        self.variables.push(("$", dot.clone()));
        frames.push(Frame { rest: body.iter(), dot, variables, kind });
        self.spend(1)
    }

    /// The end of the innermost body, or its next iteration.
    fn leave(&mut self, frames: &mut Vec<Frame<'t>>) -> Result<(), Error> {
        let Some(frame) = frames.last_mut() else { return Ok(()) };
        if let FrameKind::Loop(Loop { arm, items, variables }) = &mut frame.kind
            && let Some((key, element)) = items.next()
        {
            self.variables.truncate(*variables);
            frame.dot = element.clone();
            frame.rest = arm.body.iter();
            let pipe = &arm.pipe;
            self.spend(1)?;
            return self.iteration(pipe, key, element);
        }
        self.variables.truncate(frame.variables);
        if let FrameKind::Template(scope, running) = frame.kind {
            self.templates -= 1;
            self.scope = scope;
            self.running = running;
        }
        frames.pop();
        Ok(())
    }

    /// Gives the variables of a range their values.
    fn iteration(&mut self, pipe: &'t Pipe, key: Operand, element: Operand) -> Result<(), Error> {
        let mut values = match pipe.variables.len() {
            0 => return Ok(()),
            1 => vec![element],
            _ => vec![key, element],
        };
        if pipe.assigns {
            for (name, value) in pipe.variables.iter().zip(values) {
                *self.variable(name)? = value;
            }
            return Ok(());
        }
        for (_, variable) in self.variables.iter_mut().rev() {
            let Some(value) = values.pop() else { break };
            *variable = value;
        }
        Ok(())
    }

    fn node(&mut self, node: &'t Node, frames: &mut Vec<Frame<'t>>) -> Result<(), Error> {
        self.spend(1)?;
        let dot = match frames.last() {
            Some(frame) => frame.dot.clone(),
            None => return Ok(()),
        };
        match node {
            Node::Text(text) => self.write(text),
            Node::Action(pipe) => {
                let value = self.pipeline(pipe, &dot)?;
                if pipe.variables.is_empty() { self.print(&value) } else { Ok(()) }
            }
            Node::Branch(branch) if branch.kind == BranchKind::Range => self.range(branch, dot, frames),
            Node::Branch(branch) => self.branch(branch, dot, frames),
            Node::Call(call) => self.call_template(call, &dot, frames),
            Node::Break => self.jump(frames, true),
            Node::Continue => self.jump(frames, false),
        }
    }

    fn print(&mut self, operand: &Operand) -> Result<(), Error> {
        match &operand.value {
            Value::Str(text) => self.write(text),
            value => {
                let text = display(value);
                self.write(&text)
            }
        }
    }

    fn branch(&mut self, branch: &'t Branch, dot: Operand, frames: &mut Vec<Frame<'t>>) -> Result<(), Error> {
        let variables = self.variables.len();
        let mut rest = branch.otherwise.iter();
        let mut inside = None;
        for arm in &branch.arms {
            let value = self.pipeline(&arm.pipe, &dot)?;
            if value.truth() {
                rest = arm.body.iter();
                inside = Some(value).filter(|_| branch.kind == BranchKind::With);
                break;
            }
        }
        frames.push(Frame { rest, dot: inside.unwrap_or(dot), variables, kind: FrameKind::Plain });
        Ok(())
    }

    fn range(&mut self, branch: &'t Branch, dot: Operand, frames: &mut Vec<Frame<'t>>) -> Result<(), Error> {
        let variables = self.variables.len();
        let Some(arm) = branch.arms.first() else { return Ok(()) };
        let over = self.pipeline(&arm.pipe, &dot)?;
        let (length, items) = self.items(&arm.pipe, &over)?;
        let (rest, kind) = if length == 0 {
            (branch.otherwise.iter(), FrameKind::AfterLoop)
        } else {
            let items = Loop { arm, items, variables: self.variables.len() };
            (Iter::default(), FrameKind::Loop(items))
        };
        frames.push(Frame { rest, dot, variables, kind });
        Ok(())
    }

    /// How many items there are to go over, and these.
    fn items(&mut self, pipe: &Pipe, over: &Operand) -> Result<(usize, Items), Error> {
        let (over, _) = over.indirect();
        let counts = matches!(over.value, Value::Int(_) | Value::Uint(_) | Value::Duration(_));
        if counts && pipe.variables.len() > 1 {
            let count = display(&over.value);
            return self.fail(format_args!("can't use {count} to iterate over more than one variable"));
        }
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let positive = |number: i64| count(u64::try_from(number).unwrap_or(0));
        Ok(match over.value.clone() {
            Value::Missing => (0, Box::new(std::iter::empty())),
            Value::List(element, elements) => {
                let items = (0..elements.len()).map(move |position| {
                    let key = Operand::of(Value::Int(i64::try_from(position).unwrap_or(i64::MAX)));
                    (key, Operand::in_slot(elements[position].clone(), element))
                });
                (items.len(), Box::new(items))
            }
            Value::Map(element, entries) => {
                self.spend(entries.len())?;
                let pair = |(key, value): (&String, &Value)| {
                    (Operand::text(key.as_str()), Operand::in_slot(value.clone(), element))
                };
                let items: Vec<_> = entries.iter().map(pair).collect();
                (items.len(), Box::new(items.into_iter()))
            }
            Value::Int(end) => (positive(end), each(over, (0..end).map(Value::Int))),
            Value::Duration(end) => (positive(end), each(over, (0..end).map(Value::Duration))),
            Value::Uint(end) => (count(end), each(over, (0..end).map(Value::Uint))),
            _ => {
                let kind = over.type_name();
                return self.fail(format_args!("range can't iterate over a value of type {kind}"));
            }
        })
    }

    fn call_template(&mut self, call: &'t Call, dot: &Operand, frames: &mut Vec<Frame<'t>>) -> Result<(), Error> {
        self.at = call;
        let (name, body) = self.find(&call.name).or_else(|problem| self.fail(problem))?;
        let data = match &call.pipe {
            Some(pipe) => self.pipeline(pipe, dot)?,
            None => Operand::MISSING,
        };
        self.enter(name, body, data, frames)
    }

    /// A template that one more call may go to.
    pub(super) fn find(&self, name: &str) -> Result<(Name<'t>, &'t [Node]), String> {
        let template = self.template;
        let Some((name, body)) = template.bodies.get_key_value(name) else {
            return Err(format!("template {} not defined", super::quote(name)));
        };
        if self.templates > limits::TEMPLATE_DEPTH {
            return Err(format!("exceeded maximum template depth ({})", limits::TEMPLATE_DEPTH));
        }
        Ok((name, body))
    }

    /// Out of the bodies inside of the innermost range: to its next iteration, or to its end. As in Go, a break behind the
    /// `else` of a range is one out of that range, and a continue there is one of the range around it.
    fn jump(&mut self, frames: &mut Vec<Frame<'t>>, ends: bool) -> Result<(), Error> {
        while let Some(frame) = frames.last_mut() {
            frame.rest = Iter::default();
            match frame.kind {
                FrameKind::Loop(_) if !ends => break,
                FrameKind::Loop(_) | FrameKind::AfterLoop if ends => {
                    frame.kind = FrameKind::Plain;
                    break;
                }
                _ => self.leave(frames)?,
            }
        }
        Ok(())
    }
}

/// Numbers, in the slot that their end was in.
fn each(end: Operand, numbers: impl Iterator<Item = Value> + 'static) -> Items {
    Box::new(numbers.map(move |number| (Operand::MISSING, end.with(number))))
}
