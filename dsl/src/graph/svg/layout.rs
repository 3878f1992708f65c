//! Where everything goes: steps one below the other, ways that part side by side and joined below.

use super::drawing::{Drawing, Shape, Style};
use super::text::{width, wrapped};
use crate::graph::{Arm, Block, Graph, Inside, Item, Notes};

/// Boxes' width, in pixels; all lengths here are.
const BOX: f64 = 236.0;
const PADDING: f64 = 12.0;
/// Between a box and the next.
const GAP: f64 = 26.0;
/// Between arms.
const BESIDE: f64 = 28.0;
/// From a step down to the line along which its arms part, and from there to their words; likewise where they join.
const BUS: f64 = 16.0;
/// The widest line of words at an arm.
const WORDS: f64 = 210.0;
/// An arm without steps takes at least so much room.
const BARE: f64 = 90.0;
/// Between a frame and what is in it; on the left also the line that leads back.
const FRAME: f64 = 16.0;

/// Everything between and including entry and end.
pub fn flow(graph: &Graph, notes: &Notes) -> Drawing {
    let layout = Layout { graph, notes };
    let end = graph.nodes.len() - 1;
    let mut drawing = Drawing { open: true, ..Drawing::default() };
    below(&mut drawing, layout.boxed(0), 0.0);
    if !graph.body.0.is_empty() {
        below(&mut drawing, layout.block(&graph.body), GAP);
    }
    if drawing.open {
        below(&mut drawing, layout.boxed(end), GAP);
    }
    drawing
}

/// Puts the other below what there is, joined by an arrow.
fn below(drawing: &mut Drawing, other: Drawing, gap: f64) {
    let y = drawing.height;
    if gap > 0.0 {
        drawing.line(vec![(0.0, y), (0.0, y + gap)], true);
    }
    (drawing.height, drawing.open) = (y + gap + other.height, other.open);
    drawing.place(other, 0.0, y + gap);
}

struct Layout<'a> {
    graph: &'a Graph,
    notes: &'a Notes,
}

impl Layout<'_> {
    fn block(&self, block: &Block) -> Drawing {
        let mut drawing = Drawing { open: true, ..Drawing::default() };
        for (number, item) in block.0.iter().enumerate() {
            below(&mut drawing, self.item(item), if number == 0 { 0.0 } else { GAP });
        }
        drawing
    }

    fn item(&self, item: &Item) -> Drawing {
        let boxed = self.boxed(item.node);
        match &item.inside {
            Inside::Nothing => boxed,
            Inside::Arms(arms) => self.parting(boxed, item.node, arms),
            Inside::Body(block) => repeated(boxed, self.block(block)),
        }
    }

    /// One box with its text.
    fn boxed(&self, number: usize) -> Drawing {
        let node = &self.graph.nodes[number];
        let mut drawing = Drawing { left: BOX / 2.0, right: BOX / 2.0, ..Drawing::default() };
        let mut paragraphs = vec![(node.kind.word(), Style::Kind), (node.title.as_str(), Style::Title)];
        paragraphs.extend(node.details.iter().map(|detail| (detail.as_str(), Style::Detail)));
        paragraphs.extend(self.notes.of(node).map(|note| (note, Style::Note)));
        let mut lines = Vec::new();
        let mut y = PADDING - 3.0;
        for (paragraph, style) in paragraphs {
            if style == Style::Note {
                y += 4.0;
            }
            for line in wrapped(paragraph, style, BOX - 2.0 * PADDING) {
                lines.push((y, line, style));
                y += style.line_height();
            }
        }
        drawing.height = y + PADDING - 3.0;
        drawing.open = node.kind != crate::graph::Kind::Exit;
        drawing.shapes.push(Shape::Box { node: number, x: -BOX / 2.0, y: 0.0, width: BOX, height: drawing.height });
        for (y, line, style) in lines {
            drawing.text(0.0, y, line, style, true);
        }
        drawing
    }

    /// A step whose arms stand side by side below it, and come together again.
    fn parting(&self, mut drawing: Drawing, node: usize, arms: &[Arm]) -> Drawing {
        let arms: Vec<Drawing> = arms.iter().map(|arm| self.arm(node, arm)).collect();
        let (top, bus) = (drawing.height, drawing.height + BUS);
        let deepest = arms.iter().map(|arm| arm.height).fold(0.0, f64::max);
        let join = bus + BUS + deepest + BUS;
        let places = side_by_side(&arms);
        let open = arms.iter().any(|arm| arm.open);
        for (arm, x) in arms.into_iter().zip(places) {
            drawing.line(vec![(0.0, top), (0.0, bus), (x, bus), (x, bus + BUS)], false);
            if arm.open {
                let end = bus + BUS + arm.height;
                drawing.line(vec![(x, end), (x, join), (0.0, join), (0.0, join + BUS)], false);
            }
            drawing.place(arm, x, bus + BUS);
        }
        drawing.open = open;
        drawing.height = if open { join + BUS } else { bus + BUS + deepest };
        drawing
    }

    /// The words that say who goes this way, and the steps.
    fn arm(&self, node: usize, arm: &Arm) -> Drawing {
        let mut drawing = Drawing { open: true, ..Drawing::default() };
        let note = self.notes.of_arm(&self.graph.nodes[node], Some(arm.number));
        let mut lines: Vec<(String, Style)> =
            wrapped(&arm.label, Style::Way, WORDS).into_iter().map(|line| (line, Style::Way)).collect();
        lines.extend(note.into_iter().flat_map(|note| wrapped(note, Style::Note, WORDS)).map(|line| (line, Style::Note)));
        let widest = lines.iter().map(|(line, style)| width(line, *style)).fold(0.0, f64::max) + 2.0 * PADDING;
        let mut y = 5.0;
        let mut texts = Vec::new();
        for (line, style) in lines {
            texts.push((y, style, line));
            y += style.line_height();
        }
        let height = y + 4.0;
        drawing.shapes.push(Shape::Label { x: -widest / 2.0, y: 0.0, width: widest, height });
        texts.into_iter().for_each(|(y, style, line)| drawing.text(0.0, y, line, style, true));
        let half = widest.max(BARE) / 2.0;
        (drawing.left, drawing.right, drawing.height) = (half, half, height);
        if !arm.block.0.is_empty() {
            below(&mut drawing, self.block(&arm.block), GAP);
        }
        drawing
    }
}

/// The spines' places, so that nothing overlaps and the first and the last are equally far from the middle.
fn side_by_side(arms: &[Drawing]) -> Vec<f64> {
    let mut places: Vec<f64> = Vec::new();
    let mut edge = 0.0;
    for arm in arms {
        places.push(edge + arm.left);
        edge += arm.left + arm.right + BESIDE;
    }
    let middle = (places.first().unwrap_or(&0.0) + places.last().unwrap_or(&0.0)) / 2.0;
    places.iter().map(|place| place - middle).collect()
}

/// What is repeated in a frame, with the line that leads back to the repeat.
fn repeated(boxed: Drawing, body: Drawing) -> Drawing {
    let mut inner = Drawing::default();
    let middle = boxed.height / 2.0;
    below(&mut inner, boxed, 0.0);
    below(&mut inner, body, GAP);
    let leads_back = inner.open;
    if leads_back {
        let (bottom, aside) = (inner.height, -(inner.left + FRAME));
        inner.line(vec![(0.0, bottom), (0.0, bottom + BUS), (aside, bottom + BUS), (aside, middle), (-BOX / 2.0, middle)], true);
        inner.height = bottom + BUS;
    }
    let (left, right) = (inner.left + 2.0 * FRAME, inner.right + FRAME);
    let height = inner.height + 2.0 * FRAME;
    let mut drawing = Drawing { left, right, height, open: true, shapes: Vec::new() };
    drawing.shapes.push(Shape::Frame { x: -left, y: 0.0, width: left + right, height });
    drawing.line(vec![(0.0, 0.0), (0.0, FRAME)], true);
    drawing.place(inner, 0.0, FRAME);
    drawing
}
