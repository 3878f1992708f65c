//! From a definition's flat list of steps back to the structure it was written in.

use super::{Arm, Block, Edge, Graph, Inside, Item, Kind, Node};
use crate::model::{Definition, Repeat, Send, Step, StepIndex, StepKind, Variant, Workflow};
use crate::words;

/// Longer texts (subjects, conditions) are cut: it is a picture, not the file.
const LONGEST: usize = 120;

/// The workflow as a graph; the messages' subjects are from the definition.
pub fn of(definition: &Definition) -> Graph {
    let workflow = &definition.workflow;
    let mut builder =
        Builder { definition, nodes: vec![entry(workflow)], edges: Vec::new(), met: vec![false; workflow.steps.len()] };
    let first = (!workflow.steps.is_empty()).then_some(0);
    let (body, loose) = builder.block(first, None, vec![Loose::plain(0)]);
    if !loose.is_empty() {
        let end = builder.node(Node { step: None, kind: Kind::End, title: "completed".to_owned(), details: Vec::new() });
        builder.connect(loose, end, false);
    }
    Graph {
        workflow: workflow.name.clone(),
        description: workflow.description.as_ref().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
        facts: facts(workflow),
        nodes: builder.nodes,
        edges: builder.edges,
        body,
    }
}

fn entry(workflow: &Workflow) -> Node {
    let triggers: Vec<String> = workflow.triggers.iter().map(|trigger| cut(&words::trigger(trigger))).collect();
    let title = if triggers.is_empty() { "nobody".to_owned() } else { triggers.join(", or ") };
    let audience = workflow.audience.as_ref().map(|audience| cut(&format!("if {}", words::condition(audience))));
    Node { step: None, kind: Kind::Entry, title, details: audience.into_iter().collect() }
}

fn facts(workflow: &Workflow) -> Vec<String> {
    let status = words::status(workflow.status);
    let mut facts = Vec::new();
    if status != "live" {
        facts.push(format!("status: {status}"));
    }
    facts.extend(workflow.exit_when.as_ref().map(|ends| cut(&format!("leaves at once when: {}", words::condition(ends)))));
    facts.extend(workflow.goal.as_ref().map(|goal| cut(&format!("goal: {}", words::goal(goal)))));
    facts
}

fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).chain(['…']).collect() }
}

/// An arrow whose end is not known yet.
struct Loose {
    from: usize,
    label: String,
    arm: Option<usize>,
}

impl Loose {
    fn plain(from: usize) -> Loose {
        Loose { from, label: String::new(), arm: None }
    }
}

struct Builder<'a> {
    definition: &'a Definition,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// A step is drawn once, whatever a stored definition says.
    met: Vec<bool>,
}

impl Builder<'_> {
    fn node(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn connect(&mut self, loose: Vec<Loose>, to: usize, back: bool) {
        self.edges.extend(loose.into_iter().map(|Loose { from, label, arm }| Edge { from, to, label, arm, back }));
    }

    /// The steps from `start` up to `stop`, entered by `loose`; with what leads on from there.
    fn block(&mut self, start: Option<StepIndex>, stop: Option<StepIndex>, mut loose: Vec<Loose>) -> (Block, Vec<Loose>) {
        let mut block = Block::default();
        let mut at = start;
        while let Some(index) = at.filter(|_| at != stop) {
            let Some(step) = self.definition.workflow.steps.get(index) else { break };
            if std::mem::replace(&mut self.met[index], true) {
                break;
            }
            let node = self.node(node(self.definition, step));
            self.connect(loose, node, false);
            let (inside, on) = self.inside(step, index, node);
            block.0.push(Item { node, inside });
            loose = on;
            if loose.is_empty() {
                break;
            }
            at = step.next;
        }
        (block, loose)
    }

    fn inside(&mut self, step: &Step, index: StepIndex, node: usize) -> (Inside, Vec<Loose>) {
        match &step.kind {
            StepKind::Exit { .. } => (Inside::Nothing, Vec::new()),
            StepKind::Repeat(Repeat { body, .. }) => {
                let (block, ends) =
                    self.block(Some(*body), Some(index), vec![Loose { label: "each time".to_owned(), ..Loose::plain(node) }]);
                self.connect(ends, node, true);
                (Inside::Body(block), vec![Loose { label: "then".to_owned(), ..Loose::plain(node) }])
            }
            _ => match ways(step) {
                ways if ways.iter().all(|way| way.to == step.next) => (Inside::Nothing, vec![Loose::plain(node)]),
                ways => self.arms(step, node, ways),
            },
        }
    }

    fn arms(&mut self, step: &Step, node: usize, ways: Vec<Way>) -> (Inside, Vec<Loose>) {
        let (mut arms, mut loose) = (Vec::new(), Vec::new());
        for Way { label, number, to } in ways {
            let begin = Loose { from: node, label: label.clone(), arm: Some(number) };
            let (block, ends) = self.block(to, step.next, vec![begin]);
            loose.extend(ends);
            arms.push(Arm { label, number, block });
        }
        (Inside::Arms(arms), loose)
    }
}

struct Way {
    label: String,
    number: usize,
    to: Option<StepIndex>,
}

/// The ways on from a step that has several.
fn ways(step: &Step) -> Vec<Way> {
    match &step.kind {
        StepKind::Branch { cases } => {
            let mut ways: Vec<Way> = Vec::new();
            for (number, case) in cases.iter().enumerate() {
                let label = case.when.as_ref().map_or_else(|| "everyone else".to_owned(), |when| cut(&words::condition(when)));
                ways.push(Way { label, number, to: case.to });
            }
            if cases.iter().all(|case| case.when.is_some()) {
                ways.push(Way { label: "everyone else".to_owned(), number: cases.len(), to: step.next });
            }
            ways
        }
        StepKind::WaitFor { within, then, otherwise, .. } => {
            let mut ways = vec![Way { label: "then".to_owned(), number: 0, to: *then }];
            if let Some(within) = within {
                ways.push(Way { label: format!("otherwise, after {within}"), number: 1, to: *otherwise });
            }
            ways
        }
        StepKind::Experiment { variants, .. } => {
            let whole: f64 = variants.iter().map(|variant| variant.weight).sum();
            let label = |variant: &Variant| format!("{}, {}", variant.name, words::share(variant.weight, whole));
            let way = |(number, variant): (usize, &Variant)| Way { label: label(variant), number, to: variant.to };
            variants.iter().enumerate().map(way).collect()
        }
        _ => Vec::new(),
    }
}

fn node(definition: &Definition, step: &Step) -> Node {
    let (kind, verb) = match &step.kind {
        StepKind::Send(_) => (Kind::Send, "send "),
        StepKind::Wait(_) => (Kind::Wait, "wait "),
        StepKind::WaitFor { .. } => (Kind::WaitFor, ""),
        StepKind::Branch { .. } => (Kind::Branch, ""),
        StepKind::Experiment { .. } => (Kind::Experiment, "experiment "),
        StepKind::Repeat(_) => (Kind::Repeat, ""),
        StepKind::Set(_) => (Kind::Action("set"), "set "),
        StepKind::Consent { subscribe: true, .. } => (Kind::Action("subscribe"), "subscribe to "),
        StepKind::Consent { subscribe: false, .. } => (Kind::Action("unsubscribe"), "unsubscribe from "),
        StepKind::Record { .. } => (Kind::Action("record"), "record "),
        StepKind::Call(_) => (Kind::Action("call"), "call "),
        StepKind::Start { .. } => (Kind::Action("start"), "start "),
        StepKind::Exit { .. } => (Kind::Exit, "exit: "),
    };
    let title = words::title(step);
    let title = match &step.kind {
        StepKind::Branch { .. } => "by condition".to_owned(),
        StepKind::WaitFor { condition, .. } => cut(&words::condition(condition)),
        StepKind::Repeat(repeat) if repeat.times == 1 => "once".to_owned(),
        StepKind::Repeat(repeat) => format!("up to {} times", repeat.times),
        StepKind::Exit { reason: None } => "leaves here".to_owned(),
        _ => cut(title.strip_prefix(verb).unwrap_or(&title)),
    };
    let details = match &step.kind {
        StepKind::Send(send) => send_details(definition, send),
        StepKind::WaitFor { within: Some(within), .. } => vec![format!("at most {within}")],
        StepKind::Repeat(repeat) => {
            let every = repeat.every.map(|every| format!("every {every}"));
            let until = repeat.until.as_ref().map(|until| cut(&format!("until {}", words::condition(until))));
            every.into_iter().chain(until).collect()
        }
        _ => Vec::new(),
    };
    Node { step: Some(step.id.clone()), kind, title, details }
}

fn send_details(definition: &Definition, send: &Send) -> Vec<String> {
    let template = definition.templates.get(&send.template);
    let subject = template.and_then(|template| {
        template.subject.as_ref().or_else(|| template.locales.values().find_map(|variant| variant.subject.as_ref()))
    });
    let mut details: Vec<String> = subject.map(|subject| format!("“{}”", cut(&plain(subject)))).into_iter().collect();
    let channel = send.channel.as_ref().or_else(|| template.and_then(|template| template.channel.as_ref()));
    if let Some(channel) = channel.filter(|channel| *channel != "email" || !send.or_channels.is_empty()) {
        let channels: Vec<&str> = std::iter::once(channel).chain(&send.or_channels).map(String::as_str).collect();
        details.push(format!("by {}", channels.join(", else ")));
    }
    details.extend(send.window.as_ref().map(|window| format!("between {}", words::window(window))));
    details
}

/// A subject without its template's code: values by their name (`‹first_name›`), the sides of an {{#if}} beside each other.
fn plain(subject: &str) -> String {
    let mut plain = String::with_capacity(subject.len());
    let mut rest = subject;
    while let Some((before, expression)) = rest.split_once("{{") {
        plain.push_str(before);
        let Some((inside, after)) = expression.split_once("}}") else { break };
        let inside = inside.trim_matches(['{', '}', '~', ' ']);
        if inside.starts_with("else") {
            plain.push_str(" / ");
        } else if !inside.starts_with(['#', '/', '!', '>']) {
            let mut words = inside.split_whitespace();
            let value = words.clone().find(|word| word.contains('.')).or_else(|| words.next_back());
            let name = value.and_then(|value| value.rsplit('.').next()).unwrap_or_default();
            plain.push_str(&format!("‹{}›", name.trim_matches(['(', ')', '"', '\''])));
        }
        rest = after.strip_prefix('}').unwrap_or(after);
    }
    plain.push_str(rest);
    plain
}
