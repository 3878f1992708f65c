//! The three forms of `wait`.

use super::Lowerer;
use super::notes::Wants;
use super::steps::on_trouble;
use crate::model::{Root, Wait};
use crate::place::At;
use crate::surface::{self, MapOr, WaitTimes};
use crate::time::Duration;

impl Lowerer<'_> {
    pub(super) fn wait(&mut self, form: &surface::WaitStep, at: &At<'_>) -> Wait {
        match &form.wait {
            MapOr::Short(text) => Wait::For(self.duration(text, at)),
            MapOr::Map(WaitTimes::For(form)) => {
                let here = at.key("for");
                let span = self.duration(&form.span, &here);
                let weekdays = self.weekdays(form.days.as_ref(), &at.key("days"));
                match &form.at {
                    Some(text) => {
                        let days = self.whole_days(span, &form.span, &here);
                        Wait::Dates { days, at: self.time(text, &at.key("at")), weekdays }
                    }
                    None if form.days.is_some() => {
                        let help = "add the time of day, such as `at: \"09:00\"`";
                        self.error_help("missing-key", &at.key("days"), "`days` needs `at` beside it", help);
                        Wait::For(span)
                    }
                    None => Wait::For(span),
                }
            }
            MapOr::Map(WaitTimes::Until(form)) => self.wait_until(form, at),
        }
    }

    fn wait_until(&mut self, form: &surface::WaitUntil, at: &At<'_>) -> Wait {
        let here = at.key("until");
        let is_path = form.until.contains('.') && form.until.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_path {
            for (key, present) in [
                ("offset", form.offset.is_some()),
                ("on_missing", form.on_missing.is_some()),
                ("on_past", form.on_past.is_some()),
            ] {
                if present {
                    self.misplaced(&at.key(key), format!("`{key}` goes with a date, but `until` is a time of day here"));
                }
            }
            let weekdays = self.weekdays(form.days.as_ref(), &at.key("days"));
            return Wait::Until { at: self.time(&form.until, &here), weekdays };
        }
        if form.days.is_some() {
            self.misplaced(&at.key("days"), "`days` goes with a time of day, but `until` is a date here".to_owned());
        }
        let offset = form.offset.as_ref().map_or(Duration::default(), |text| self.offset(text, &at.key("offset")));
        let roots = [Root::Contact, Root::Event, Root::Vars];
        match self.path(&form.until, &roots, &here) {
            Some(path) => {
                self.note_value(&path, "until", Wants { text: true, ..Wants::default() }, &here);
                Wait::UntilDate { path, offset, on_missing: on_trouble(form.on_missing), on_past: on_trouble(form.on_past) }
            }
            None => Wait::For(Duration::default()),
        }
    }
}
