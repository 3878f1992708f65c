//! What stands around a page: the project's own layout, or ours. However broken the project's is, the page itself is always shown.

use std::collections::BTreeMap;

use dsl::model::Catalog;
use handlebars::{Handlebars, html_escape};
use serde_json::json;

use super::texts::Texts;

/// The project's layouts, compiled.
pub struct Theme {
    project: String,
    /// The project's, in which topics are written.
    pub locale: String,
    layouts: Handlebars<'static>,
}

const OURS: &str = include_str!("layout.html");

impl Theme {
    pub fn of(catalog: &Catalog) -> Theme {
        let mut theme = Theme {
            project: catalog.settings.project.clone(),
            locale: catalog.settings.locale.clone(),
            layouts: Handlebars::new(),
        };
        theme.layouts.set_strict_mode(true);
        theme.add(&catalog.pages);
        theme
    }

    fn add(&mut self, pages: &BTreeMap<String, String>) {
        for (language, source) in pages {
            if let Err(error) = self.layouts.register_template_string(language, source) {
                tracing::error!(language, %error, "a layout of the pages cannot be compiled; the runner's own is used");
            }
        }
    }

    /// The whole document. `title` is text, `content` HTML.
    pub fn around(&self, texts: &Texts, title: &str, content: &str) -> String {
        let data = json!({ "title": title, "content": content, "lang": texts.lang, "project": self.project });
        if let Some(layout) = self.layout(texts.lang) {
            match self.layouts.render(layout, &data) {
                Ok(page) if page.contains(content) => return page,
                Ok(_) => tracing::error!("a layout of the pages leaves out their content; the runner's own is used"),
                Err(error) => tracing::error!(%error, "a layout of the pages cannot be used; the runner's own is"),
            }
        }
        let fields =
            [("{lang}", texts.lang.to_owned()), ("{title}", html_escape(title)), ("{project}", html_escape(&self.project))];
        let filled = |part: &str| fields.iter().fold(part.to_owned(), |part, (field, value)| part.replace(field, value));
        let (before, behind) = OURS.split_once("{content}").unwrap_or((OURS, ""));
        format!("{}{content}{}", filled(before), filled(behind))
    }

    /// That of this very language, else of one like it, else of none.
    fn layout(&self, lang: &str) -> Option<&str> {
        let lang = lang.to_ascii_lowercase();
        let primary = |name: &str| name.split('-').next().unwrap_or_default().to_owned();
        let names = self.layouts.get_templates().keys().map(String::as_str);
        let fit = |name: &&str| match *name {
            name if name == lang => 3,
            "" => 1,
            name if primary(name) == primary(&lang) => 2,
            _ => 0,
        };
        // Of several like it always the same.
        names.filter(|name| fit(name) > 0).max_by_key(|name| (fit(name), std::cmp::Reverse(*name)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;

    #[track_caller]
    fn check(layouts: &[(&str, &str)], lang: &str, expected: &str) {
        let mut theme = Theme { project: "a & b".to_owned(), locale: "en".to_owned(), layouts: Handlebars::new() };
        theme.layouts.set_strict_mode(true);
        theme.add(&layouts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect());
        let page = theme.around(texts::of(lang).unwrap(), "<T>", "<h1>C</h1>");
        assert!(page.contains("<h1>C</h1>") && page.contains(expected), "{page}");
    }

    #[test]
    fn the_layout_of_the_language() {
        let all =
            [("", "any {{{content}}}"), ("de-at", "at {{{content}}}"), ("de", "de {{{content}}}"), ("fr", "fr {{{content}}}")];
        check(&all, "de", "de ");
        check(&all[..2], "de", "at ");
        check(&all, "en", "any ");
        check(&[("zh", "zh {{{content}}}")], "zh-Hans", "zh ");
        check(&[("", "{{title}} {{lang}} {{project}} {{{content}}}")], "de", "&lt;T&gt; de a &amp; b ");
    }

    #[test]
    fn a_broken_layout_keeps_nobody_out() {
        let ours = "<html lang=\"en\">";
        check(&[], "en", ours);
        check(&[], "en", "<title>&lt;T&gt; – a &amp; b</title>");
        check(&[("", "{{#if")], "en", ours);
        check(&[("", "nothing")], "en", ours);
        check(&[("", "{{content}}")], "en", ours);
        check(&[("", "{{nope}} {{{content}}}")], "en", ours);
        check(&[("fr", "fr {{{content}}}")], "en", ours);
    }
}
