//! Parts of a picture that can be put together: each has its own origin, at the top of the line (its spine) that leads into it and out of it.

/// Shapes around a spine at x = 0, from y = 0 down to `height`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    /// How far it reaches to either side of the spine.
    pub left: f64,
    pub right: f64,
    pub height: f64,
    /// Whether the way goes on below it.
    pub open: bool,
    pub shapes: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Box {
        node: usize,
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    },
    /// Around what is repeated.
    Frame {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    },
    /// Behind the words at an arm.
    Label {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    },
    /// A line of text with its upper edge at `y`.
    Text {
        x: f64,
        y: f64,
        text: String,
        style: Style,
        middle: bool,
    },
    /// Along right angles.
    Line {
        points: Vec<(f64, f64)>,
        arrow: bool,
    },
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The workflow's name.
    Name,
    Description,
    /// The word over a box's title.
    Kind,
    Title,
    Detail,
    /// At an arm.
    Way,
    Note,
}

impl Style {
    /// Of the font, in pixels; the style sheet says the same.
    pub fn size(self) -> f64 {
        match self {
            Style::Name => 20.0,
            Style::Title => 14.0,
            Style::Description | Style::Note => 13.0,
            Style::Detail | Style::Way => 12.0,
            Style::Kind => 11.0,
        }
    }

    pub fn bold(self) -> bool {
        matches!(self, Style::Name | Style::Title | Style::Note)
    }

    pub fn line_height(self) -> f64 {
        (self.size() * 1.35).ceil()
    }

    pub fn class(self) -> &'static str {
        match self {
            Style::Name => "name",
            Style::Description => "description",
            Style::Kind => "kind",
            Style::Title => "title",
            Style::Detail => "detail",
            Style::Way => "way",
            Style::Note => "note",
        }
    }
}

impl Drawing {
    pub fn text(&mut self, x: f64, y: f64, text: String, style: Style, middle: bool) {
        self.shapes.push(Shape::Text { x, y, text, style, middle });
    }

    pub fn line(&mut self, points: Vec<(f64, f64)>, arrow: bool) {
        self.shapes.push(Shape::Line { points, arrow });
    }

    /// Puts the other with its spine's top at this place. Its height and whether it is open are the caller's to take over.
    pub fn place(&mut self, other: Drawing, x: f64, y: f64) {
        self.left = self.left.max(other.left - x);
        self.right = self.right.max(other.right + x);
        self.shapes.extend(other.shapes.into_iter().map(|shape| shape.moved(x, y)));
    }
}

impl Shape {
    fn moved(self, dx: f64, dy: f64) -> Shape {
        match self {
            Shape::Box { node, x, y, width, height } => Shape::Box { node, x: x + dx, y: y + dy, width, height },
            Shape::Frame { x, y, width, height } => Shape::Frame { x: x + dx, y: y + dy, width, height },
            Shape::Label { x, y, width, height } => Shape::Label { x: x + dx, y: y + dy, width, height },
            Shape::Text { x, y, text, style, middle } => Shape::Text { x: x + dx, y: y + dy, text, style, middle },
            Shape::Line { points, arrow } => {
                Shape::Line { points: points.into_iter().map(|(x, y)| (x + dx, y + dy)).collect(), arrow }
            }
        }
    }
}
