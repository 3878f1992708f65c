//! Whether a file has the shape that the language's schema asks for, and if not, what a person should do about it.
//!
//! A failed `anyOf` says nothing useful by itself: here the form that was meant is found by the JSON type of what was
//! written, or by the verb that is present, and that form's errors are the ones reported.

mod mend;
mod words;

use std::collections::HashSet;
use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::place::{At, did_you_mean, list};
use crate::yaml::{Document, push_segment};
use mend::{Mend, mend};
pub(crate) use words::type_of;
use words::{label, text_of, types, word_for};

/// A schema, ready to check files with.
pub(crate) struct Form {
    schema: Value,
    validator: Result<Validator, String>,
}

static WORKFLOW: OnceLock<Form> = OnceLock::new();

impl Form {
    fn new(schema: Value) -> Form {
        let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string());
        Form { schema, validator }
    }

    pub(crate) fn workflow() -> &'static Form {
        WORKFLOW.get_or_init(|| Form::new(crate::schema::workflow()))
    }

    /// Has the form of workflows made ready on another thread, if nobody has asked for it yet: making it takes as long as checking several files.
    pub(crate) fn prepare_workflow() {
        if WORKFLOW.get().is_none() {
            // Without a thread it is made by whoever asks first.
            let _ = std::thread::Builder::new().name("forms".to_owned()).spawn(Form::workflow);
        }
    }

    pub(crate) fn tests() -> &'static Form {
        static FORM: OnceLock<Form> = OnceLock::new();
        FORM.get_or_init(|| Form::new(crate::schema::test()))
    }

    pub(crate) fn audience() -> &'static Form {
        static FORM: OnceLock<Form> = OnceLock::new();
        FORM.get_or_init(|| Form::new(crate::schema::audience()))
    }

    pub(crate) fn settings() -> &'static Form {
        static FORM: OnceLock<Form> = OnceLock::new();
        FORM.get_or_init(|| Form::new(crate::schema::settings()))
    }
}

/// How often a file is looked at again after what could be set aside was: a broken piece may take the mapping around it
/// along, and that the step that it is in.
const ROUNDS: usize = 12;
/// How many problems of one file are looked at in a round.
const MOST_PROBLEMS: usize = 1_000;

/// Checks the document's shape. What is wrong is reported and set aside (the broken key, else the step or element that it is
/// in), so that the rest of the file can be read and its errors reported in the same run.
///
/// The answer says whether what is left has the right shape.
pub(crate) fn check(document: &mut Document, form: &Form, out: &mut Vec<Diagnostic>) -> bool {
    let validator = match &form.validator {
        Ok(validator) => validator,
        Err(error) => {
            out.push(Diagnostic::error(
                "wrong-type",
                At::root(document).location(),
                format!("the language's schema is broken: {error}"),
            ));
            return false;
        }
    };
    // Where something was set aside: what is wrong there in a later round only follows from that.
    let mut touched = HashSet::new();
    for _ in 0..ROUNDS {
        if validator.is_valid(&document.value) {
            return true;
        }
        let mut problems = Vec::new();
        for error in validator.iter_errors(&document.value).take(MOST_PROBLEMS) {
            collect(&error, form, &mut problems);
        }
        // One thing wrong with a place is enough; a missing key is about what is not there.
        let mut seen = HashSet::new();
        problems.retain(|problem| problem.code == "missing-key" || seen.insert(problem.pointer.clone()));
        out.extend(
            problems.iter().filter(|problem| !touched.contains(&problem.pointer)).map(|problem| problem.diagnostic(document)),
        );
        let mut changed = false;
        for problem in &problems {
            changed |= mend(&mut document.value, &document.file, &problem.pointer, problem.mend());
            let mut around = problem.pointer.as_str();
            touched.insert(around.to_owned());
            while let Some((parent, _)) = around.rsplit_once('/') {
                touched.insert(parent.to_owned());
                around = parent;
            }
        }
        if !changed {
            return false;
        }
    }
    validator.is_valid(&document.value)
}

/// Something that is wrong with the shape.
struct Problem {
    code: &'static str,
    /// What is wrong.
    pointer: String,
    /// The key that is not there, where it is wrong that it is not.
    missing: Option<String>,
    /// The message is about the key, not about its value.
    key: bool,
    message: String,
    help: Option<String>,
}

impl Problem {
    fn mend(&self) -> Mend<'_> {
        match &self.missing {
            Some(key) => Mend::Add(key),
            None if matches!(self.code, "unknown-key" | "two-verbs") => Mend::Remove,
            None => Mend::Replace,
        }
    }

    fn diagnostic(&self, document: &Document) -> Diagnostic {
        let at = At::new(document, &self.pointer);
        let location = if self.key { at.key_location() } else { at.location() };
        Diagnostic { help: self.help.clone(), ..Diagnostic::error(self.code, location, self.message.clone()) }
    }
}

fn collect(error: &ValidationError<'_>, form: &Form, out: &mut Vec<Problem>) {
    let pointer = error.instance_path().as_str().to_owned();
    let schema = form.around(error);
    let problem =
        |code, message: String, help| Problem { code, pointer: pointer.clone(), missing: None, key: false, message, help };
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            forms(error, context, form, out);
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let noun = form.noun(error);
            let problem = |(number, key): (usize, &String)| unknown_key(&pointer, key, schema, &noun, number < SUGGESTIONS);
            out.extend(unexpected.iter().enumerate().map(problem));
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            let help = described(schema, key);
            let problem = problem("missing-key", format!("{} needs the key `{key}`", form.noun(error)), help);
            out.push(Problem { missing: Some(key.to_owned()), ..problem });
        }
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" "),
            };
            let wanted: Vec<&str> = wanted.split(' ').collect();
            out.push(wrong_type(pointer, error.instance(), &wanted));
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            out.push(unknown_value(pointer, error.instance(), &options));
        }
        ValidationErrorKind::Constant { expected_value } => {
            let message = format!("{} can only be `{}`", label(&pointer), text_of(expected_value));
            out.push(problem("unknown-value", message, None));
        }
        ValidationErrorKind::MinItems { .. } => {
            out.push(problem("empty-list", format!("the list of {} is empty", label(&pointer)), None));
        }
        ValidationErrorKind::MinProperties { .. } => {
            let help = allowed(schema).map(|keys| format!("allowed here: {}", list(&keys)));
            out.push(problem("empty-mapping", format!("{} with too few keys says nothing", form.noun(error)), help));
        }
        ValidationErrorKind::MaxProperties { .. } => {
            out.push(problem("two-verbs", format!("{} has only one key", form.noun(error)), None));
        }
        ValidationErrorKind::Minimum { limit } => {
            let message = format!("{} is {}; the smallest number allowed is {limit}", label(&pointer), text_of(error.instance()));
            out.push(problem("invalid-number", message, None));
        }
        ValidationErrorKind::Maximum { limit } => {
            let message = format!("{} is {}; the largest number allowed is {limit}", label(&pointer), text_of(error.instance()));
            out.push(problem("invalid-number", message, None));
        }
        other => {
            let code = if matches!(other, ValidationErrorKind::Pattern { .. }) { "unknown-value" } else { "invalid-number" };
            out.push(problem(code, format!("{} is not allowed: {}", label(&pointer), error.masked()), None));
        }
    }
}

impl Form {
    /// The schema whose keyword failed.
    fn around(&self, error: &ValidationError<'_>) -> &Value {
        let path = error.schema_path().as_str();
        let around = path.rsplit_once('/').map_or("", |(around, _)| around);
        self.schema.pointer(around).unwrap_or(&Value::Null)
    }

    /// What the failed schema describes, in words and with its article: `SendStep` is "a send step".
    fn noun(&self, error: &ValidationError<'_>) -> String {
        let path = error.schema_path().as_str();
        let name = path.rsplit_once("$defs/").map_or("File", |(_, rest)| rest.split('/').next().unwrap_or(rest));
        let name = match name {
            "WaitTimes" | "WaitDates" | "WaitUntil" => "Wait",
            "Predicates" | "NumberPredicates" => "Test",
            "DateSpan" => "TestOfADate",
            "Assigned" | "Change" => "ChangeOfAValue",
            "Points" => "EntryOfAScore",
            name => name,
        };
        let mut words = String::new();
        for c in name.chars() {
            if c.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(c.to_lowercase());
        }
        let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {words}")
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix('#')) {
            Some(pointer) => self.schema.pointer(pointer).unwrap_or(schema),
            None => schema,
        }
    }
}

/// Finds the form that was meant and reports that one's errors.
fn forms(error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>], form: &Form, out: &mut Vec<Problem>) {
    let instance = error.instance();
    let pointer = error.instance_path().as_str();
    let branches: Vec<&Value> = form
        .schema
        .pointer(error.schema_path().as_str())
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|b| form.resolve(b))
        .collect();
    let constants: Vec<&str> = branches.iter().filter_map(|branch| branch.get("const").and_then(Value::as_str)).collect();
    if constants.len() == branches.len() || (instance.is_string() && !constants.is_empty()) {
        out.push(unknown_value(pointer.to_owned(), instance, &constants));
        return;
    }
    let fitting: Vec<usize> = (0..branches.len()).filter(|&index| types(branches[index]).contains(&type_of(instance))).collect();
    let chosen = match fitting.as_slice() {
        [] => {
            let wanted: Vec<&str> = branches.iter().flat_map(|branch| types(branch)).collect();
            out.push(wrong_type(pointer.to_owned(), instance, &wanted));
            return;
        }
        [only] => *only,
        several => match by_verb(instance, &branches, several) {
            Ok(index) => index,
            Err(present) => {
                out.push(verbs_wrong(pointer, instance, &branches, &present, &form.noun(error)));
                return;
            }
        },
    };
    for inner in context.get(chosen).into_iter().flatten() {
        collect(inner, form, out);
    }
}

fn verb(branch: &Value) -> Option<&str> {
    branch.get("required").and_then(Value::as_array)?.iter().filter_map(Value::as_str).next()
}

/// The one form whose verb is present; else the verbs that are. A verb that another present form knows as one of its own
/// keys does not count (`at` in a `date` trigger).
fn by_verb<'a>(instance: &Value, branches: &[&'a Value], among: &[usize]) -> Result<usize, Vec<&'a str>> {
    let present: Vec<usize> =
        among.iter().copied().filter(|&index| verb(branches[index]).is_some_and(|verb| instance.get(verb).is_some())).collect();
    let knows = |index: usize, key: &str| branches[index].pointer("/properties").and_then(|keys| keys.get(key)).is_some();
    let leading: Vec<usize> = present
        .iter()
        .copied()
        .filter(|&index| {
            let verb = verb(branches[index]).unwrap_or_default();
            !present.iter().any(|&other| other != index && knows(other, verb))
        })
        .collect();
    match leading.as_slice() {
        [only] => Ok(*only),
        several => Err(several.iter().filter_map(|&index| verb(branches[index])).collect()),
    }
}

fn verbs_wrong(pointer: &str, instance: &Value, branches: &[&Value], present: &[&str], noun: &str) -> Problem {
    let verbs: Vec<&str> = branches.iter().filter_map(|branch| verb(branch)).collect();
    let child = |key: &str| {
        let mut pointer = pointer.to_owned();
        push_segment(&mut pointer, key);
        pointer
    };
    if let [first, second, ..] = present {
        return Problem {
            code: "two-verbs",
            pointer: child(second),
            missing: None,
            key: true,
            message: format!("{noun} has one verb, but this one has {}", list(present)),
            help: Some(format!("write two: one with `{first}`, another with `{second}`")),
        };
    }
    let keys: Vec<&str> = instance.as_object().into_iter().flat_map(|map| map.keys()).map(String::as_str).collect();
    // A key that one of the forms has is no misspelt verb.
    let known =
        |key: &&&str| branches.iter().any(|branch| branch.pointer("/properties").is_some_and(|keys| keys.get(**key).is_some()));
    let meant =
        keys.iter().filter(|key| !known(key)).find_map(|key| did_you_mean(key, verbs.iter().copied()).map(|verb| (*key, verb)));
    if let Some((key, verb)) = meant {
        return Problem {
            code: "unknown-key",
            pointer: child(key),
            missing: None,
            key: true,
            message: format!("unknown key `{key}` in {noun}"),
            help: Some(format!("did you mean `{verb}`? {noun} has one of {}", list(&verbs))),
        };
    }
    let bodies = branches.iter().all(|branch| branch.get("properties").is_none());
    let (code, message) = if bodies {
        ("missing-key", format!("{noun} needs one of {}", list(&verbs)))
    } else if keys.is_empty() {
        ("no-verb", format!("{noun} is empty here"))
    } else {
        ("no-verb", format!("{noun} needs a verb, but this has only {}", list(&keys)))
    };
    Problem {
        code,
        pointer: pointer.to_owned(),
        missing: None,
        key: false,
        message,
        help: Some(format!("{noun} has one of {}", list(&verbs))),
    }
}

/// Of so many unknown keys in one place it is said what may be meant: each is compared with all that there are.
const SUGGESTIONS: usize = 100;

fn unknown_key(pointer: &str, key: &str, schema: &Value, noun: &str, suggest: bool) -> Problem {
    let mut child = pointer.to_owned();
    push_segment(&mut child, key);
    let message = format!("unknown key `{key}` in {noun}");
    let help = if suggest { Some(keys_allowed(key, schema)).filter(|help| !help.is_empty()) } else { None };
    Problem { code: "unknown-key", pointer: child, missing: None, key: true, message, help }
}

/// What stands there instead.
fn keys_allowed(key: &str, schema: &Value) -> String {
    let keys = allowed(schema).unwrap_or_default();
    let mut help = did_you_mean(key, keys.iter().copied()).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    if !keys.is_empty() {
        help.push_str(&format!("allowed here: {}", list(&keys)));
    }
    if schema.get("patternProperties").is_some() {
        help.push_str(", and paths such as `contact.country`, `event.total` or `vars.stage`");
    }
    help
}

fn allowed(schema: &Value) -> Option<Vec<&str>> {
    let properties = schema.get("properties")?.as_object()?;
    Some(properties.keys().map(String::as_str).collect())
}

fn described(schema: &Value, key: &str) -> Option<String> {
    let description = schema.get("properties")?.get(key)?.get("description")?.as_str()?;
    Some(format!("`{key}`: {}", description.replace('\n', " ")))
}

fn unknown_value(pointer: String, instance: &Value, options: &[&str]) -> Problem {
    let written = text_of(instance);
    let mut help =
        did_you_mean(&written, options.iter().copied()).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    help.push_str(&format!("allowed here: {}", list(options)));
    let message = format!("{} cannot be `{written}`", label(&pointer));
    Problem { code: "unknown-value", pointer, missing: None, key: false, message, help: Some(help) }
}

fn wrong_type(pointer: String, instance: &Value, wanted: &[&str]) -> Problem {
    let mut words: Vec<&str> = Vec::new();
    for kind in wanted {
        let word = word_for(kind);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let label = label(&pointer);
    let wanted = words.join(" or ");
    if instance.is_null() {
        let test = pointer.rsplit('/').next().is_some_and(|key| key.contains('.'));
        let help = test.then(|| "to ask whether a value is missing, write `{ exists: false }`".to_owned());
        return Problem {
            code: "null-value",
            pointer,
            missing: None,
            key: true,
            message: format!("{label} has no value; it must be {wanted}"),
            help,
        };
    }
    let message = format!("{label} must be {wanted}, but this is {}", word_for(type_of(instance)));
    let help = match (instance, words.as_slice()) {
        (Value::Number(_) | Value::Bool(_), ["text"]) => Some(format!("quote it to make it text: \"{}\"", text_of(instance))),
        _ => None,
    };
    Problem { code: "wrong-type", pointer, missing: None, key: false, message, help }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = r#"
workflow: a
trigger: [{ event: x, where: { any: [{ event.total: { at_least: 20 } }] } }, { date: contact.birthday, every: year }]
audience: { all: [{ segment: s }, { contact.country: [DE, AT] }, { not: { topic: offers } }] }
reentry: { after: 7 days }
goal: { event: y, within: 7 days, value: event.total }
moved: { x: y }
overdue: { after: 2 days, do: skip }
segments: { s: { event: x, sum: { of: event.total, above: 5 } }, l: { list: true } }
traits:
  spent: { sum: event.total, of: x, where: { event.total: { above: 5 } }, within: 90 days }
  rank: { rank: contact.spent, into: 5 }
  tier: { by: contact.spent, tiers: { high: 5, low: 0 } }
  score: { score: [{ event: x, points: 5 }, { event: y, points: -5 }], halves_every: 30 days }
  stage: { first_match: { a: { topic: offers }, b: { segment: s } }, otherwise: c }
steps:
  - wait: { for: 2 days, at: "09:00", days: [mon, tue] }
  - send: { subject: Hi, text: Ho }
    window: { between: "09:00-20:00" }
    with: { a: 1 }
  - wait_for: { message: any, is: clicked }
    within: 1 day
    then:
      - repeat: { times: 3, every: 1 day, until: { topic: offers }, steps: [{ set: { contact.n: { add: 1 } } }] }
    otherwise:
      - branch:
          - when: { contact.n: { above: 500 } }
            steps: [{ experiment: e, variants: { a: { weight: 1, steps: [exit] }, b: { weight: 2 } } }]
          - steps: [{ record: x, with: { b: 2 } }]
  - start: b
"#;

    fn pointers(value: &Value, pointer: &str, out: &mut Vec<String>) {
        out.push(pointer.to_owned());
        let mut child = |key: &str, value: &Value| {
            let mut pointer = pointer.to_owned();
            push_segment(&mut pointer, key);
            pointers(value, &pointer, out);
        };
        match value {
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| child(&index.to_string(), item)),
            Value::Object(map) => map.iter().for_each(|(key, item)| child(key, item)),
            _ => {}
        }
    }

    /// Whatever one thing is broken, the rest keeps its shape, and its last step is still there.
    #[test]
    fn any_broken_piece_can_be_set_aside() {
        let whole = crate::yaml::read("workflows/a.yaml", FILE).unwrap();
        let mut all = Vec::new();
        pointers(&whole.value, "", &mut all);
        assert!(all.len() > 80, "{all:?}");
        for pointer in all.iter().filter(|pointer| pointer.len() > 1) {
            for broken in [json!(null), json!(-1.5), json!([]), json!([{}]), json!({}), json!({ "zzz": 1 }), json!(true)] {
                if pointer == "/steps" || pointer.starts_with("/steps/3") {
                    continue;
                }
                let mut document = crate::yaml::read("workflows/a.yaml", FILE).unwrap();
                *document.value.pointer_mut(pointer).unwrap() = broken.clone();
                let mut found = Vec::new();
                assert!(check(&mut document, Form::workflow(), &mut found), "{pointer} {broken}: {found:?}");
                assert_eq!(document.value["steps"][3], json!({ "start": "b" }), "{pointer} {broken}");
                assert!(found.len() <= 4, "{pointer} {broken}: {found:?}");
            }
        }
    }
}
