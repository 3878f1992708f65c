//! Going from a name to where it is defined and used, and the outline of a file.

use dsl::diagnostic::Location;
use dsl::index::{Occurrence, Symbol, SymbolKind};
use lsp_types::{DocumentSymbol, SymbolInformation, SymbolKind as Icon, Uri};

use super::position::{Encoding, Page};
use super::project::Project;

/// A place of a project as the editor names it.
pub fn location(project: &Project, at: &Location, encoding: Encoding) -> Option<lsp_types::Location> {
    let page = Page::new(project.text(&at.file)?, encoding);
    Some(lsp_types::Location { uri: project.uri(&at.file)?, range: page.range(at) })
}

/// Where the name at a place is defined.
pub fn definitions(project: &Project, file: &str, place: (usize, usize), encoding: Encoding) -> Vec<lsp_types::Location> {
    let Some(wanted) = project.index.at(file, place.0, place.1) else {
        return Vec::new();
    };
    project.index.definitions(wanted).into_iter().filter_map(|found| location(project, &found.at, encoding)).collect()
}

/// Where the name at a place is used; with `declaration`, also where it is defined.
pub fn references(
    project: &Project,
    file: &str,
    place: (usize, usize),
    declaration: bool,
    encoding: Encoding,
) -> Vec<lsp_types::Location> {
    let wanted = project.index.at(file, place.0, place.1).or_else(|| of_file(project, file, place));
    let Some(wanted) = wanted else { return Vec::new() };
    let shown = |found: &&Occurrence| declaration || found.definition.is_none();
    project.index.same(wanted).filter(shown).filter_map(|found| location(project, &found.at, encoding)).collect()
}

/// What a whole file defines, for somebody at its very beginning.
pub fn of_file<'p>(project: &'p Project, file: &str, place: (usize, usize)) -> Option<&'p Occurrence> {
    let first = project.index.file(file)?.occurrences.first()?;
    (place == (1, 1) && first.definition.is_some() && first.at.column == first.at.end_column).then_some(first)
}

/// The outline of a file.
#[allow(deprecated, reason = "the type has a field that is deprecated and must be given")]
pub fn symbols(symbols: &[Symbol], page: &Page<'_>) -> Vec<DocumentSymbol> {
    let one = |symbol: &Symbol| DocumentSymbol {
        name: shown(symbol),
        detail: symbol.detail.clone(),
        kind: icon(symbol.kind),
        tags: None,
        deprecated: None,
        range: page.range(&symbol.extent),
        selection_range: page.range(&symbol.at),
        children: (!symbol.children.is_empty()).then(|| self::symbols(&symbol.children, page)),
    };
    symbols.iter().map(one).collect()
}

/// The outline for editors that know no nesting, in the order of the file.
#[allow(deprecated, reason = "the type has a field that is deprecated and must be given")]
pub fn flat_symbols(symbols: &[Symbol], page: &Page<'_>, uri: &Uri) -> Vec<SymbolInformation> {
    fn add(symbols: &[Symbol], around: Option<&str>, page: &Page<'_>, uri: &Uri, found: &mut Vec<SymbolInformation>) {
        for symbol in symbols {
            let location = lsp_types::Location { uri: uri.clone(), range: page.range(&symbol.extent) };
            let (name, kind) = (shown(symbol), icon(symbol.kind));
            let container_name = around.map(str::to_owned);
            found.push(SymbolInformation { name, kind, tags: None, deprecated: None, location, container_name });
            add(&symbol.children, Some(&symbol.name), page, uri, found);
        }
    }
    let mut found = Vec::new();
    add(symbols, None, page, uri, &mut found);
    found
}

/// The protocol wants names that are not empty.
fn shown(symbol: &Symbol) -> String {
    if symbol.name.trim().is_empty() { "…".to_owned() } else { symbol.name.clone() }
}

fn icon(kind: SymbolKind) -> Icon {
    match kind {
        SymbolKind::Workflow => Icon::MODULE,
        SymbolKind::Step => Icon::METHOD,
        SymbolKind::Segment => Icon::CLASS,
        SymbolKind::Trait => Icon::FIELD,
        SymbolKind::Test => Icon::FUNCTION,
        SymbolKind::Setting => Icon::PROPERTY,
    }
}
