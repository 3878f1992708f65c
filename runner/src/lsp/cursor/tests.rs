use super::*;

/// The place of the `|` in the text: `path spot "prefix" siblings`.
fn told(marked: &str) -> String {
    let at = marked.find('|').unwrap();
    let line = marked[..at].matches('\n').count() + 1;
    let column = marked[..at].rsplit('\n').next().unwrap().chars().count() + 1;
    let text = marked.replacen('|', "", 1);
    let Some(cursor) = locate(&text, line, column) else {
        return "nowhere".to_owned();
    };
    let path: Vec<&str> = cursor
        .path
        .iter()
        .map(|segment| match segment {
            Segment::Key(key) => key.as_str(),
            Segment::Item => "-",
        })
        .collect();
    let beside: Vec<&str> = cursor.beside().iter().map(|(key, _)| key.as_str()).collect();
    let space = if cursor.needs_space { " space" } else { "" };
    format!("/{} {:?} {:?} {}{space}", path.join("/"), cursor.spot, cursor.prefix, beside.join(",")).trim_end().to_owned()
}

#[track_caller]
fn check(marked: &str, expected: &str) {
    assert_eq!(told(marked), expected, "{marked}");
}

#[test]
fn keys_and_values_of_blocks() {
    check("|", "/ Key \"\"");
    check("work|", "/ Key \"work\"");
    check("workflow: a\nst|", "/ Key \"st\" workflow");
    check("workflow: a\n|\nsteps: []\n", "/ Key \"\" workflow,steps");
    check("status: li|", "/status Value \"li\"");
    check("status:|", "/status Value \"\"  space");
    check("trigger:\n  |", "/trigger Either \"\"");
    check("trigger:\n  ev|", "/trigger Either \"ev\"");
    check("trigger:\n  event: x\n  |", "/trigger Key \"\" event");
    check("trigger:\n  event: x\n|", "/ Key \"\" trigger");
    check("a: \"x|", "/a Value \"x\"");
}

#[test]
fn items_of_lists() {
    check("steps:\n  - |", "/steps/- Either \"\"");
    check("steps:\n  - se|", "/steps/- Either \"se\"");
    check("steps:\n  - send: wel|", "/steps/-/send Value \"wel\"");
    check("steps:\n  - send: welcome\n    |", "/steps/- Key \"\" send");
    check("steps:\n  - send: welcome\n    wi|\n    id: x\n  - wait: 1 day\n", "/steps/- Key \"wi\" send,id");
    check("steps:\n  - send: welcome\n  |", "/steps Either \"\"");
    check("steps:\n- send: |", "/steps/-/send Value \"\"");
    check("steps:\n- send: a\n|", "/ Key \"\" steps");
    check("steps:\n  - wait_for: { event: x }\n    then:\n      - |", "/steps/-/then/- Either \"\"");
    check("steps:\n  - branch:\n      - when: { segment: |", "/steps/-/branch/-/when/segment Value \"\"");
    check("all:\n  - - a: |", "/all/-/-/a Value \"\"");
    check("steps:\n  -|", "nowhere");
}

#[test]
fn inside_of_brackets() {
    check("a: { |", "/a Key \"\"");
    check("a: { segment: s|", "/a/segment Value \"s\"");
    check("a: { event: x, where: { event.|", "/a/where Key \"event.\"");
    check("a: { event: x, |", "/a Key \"\" event");
    check("a: [x, y|]", "/a/- Either \"y\"");
    check("a: { b: [ { c: \"d|", "/a/b/-/c Value \"d\"");
    check("a: { b: c }|", "nowhere");
    check("a:\n  - { send: wel|", "/a/-/send Value \"wel\"");
    check("a: { b: c,\n     d|", "/a Key \"d\" b");
    check("a: { b:|", "/a/b Value \"\"  space");
}

#[test]
fn in_files_that_cannot_be_read() {
    check("audience: { segment: \nsteps:\n  - send: wel|", "/steps/-/send Value \"wel\"");
    check("steps:\n  - wait: {\n  - sen|", "/steps/- Either \"sen\"");
    check("a: 'never closed\nsteps:\n  - |", "/steps/- Either \"\"");
    check("a: b: c\n\tx\nsteps:\n  - send: |", "/steps/-/send Value \"\"");
    check("]}\nst|", "/ Key \"st\"");
}

#[test]
fn comments_and_long_texts_are_left_alone() {
    check("# a|", "nowhere");
    check("a: { # b|", "nowhere");
    check("a: b # c|\n", "nowhere");
    check("a: # c|\n", "nowhere");
    check("a: \"b # c|\n", "/a Value \"b # c\"");
    check("steps:\n  - send:\n      html: >\n        <p>|", "nowhere");
    check("a: |\n", "/a Value \"\"");
    check("steps:\n  - send:\n      html: >\n        x\n      te|", "/steps/-/send Key \"te\" html");
}

#[test]
fn names_beside_are_known_with_their_values() {
    let cursor = locate("a: { event: bought, where: { ", 1, 30).unwrap();
    assert_eq!(cursor.siblings, [vec![], vec![("event".to_owned(), "bought".to_owned())], vec![]]);
}

proptest::proptest! {
    /// No text and no place in it is too strange.
    #[test]
    fn any_place_of_any_text(text in "[a-z:{}\\[\\],\"'#|>&* \n-]{0,80}|\\PC{0,40}", line in 0usize..9, column in 0usize..50) {
        locate(&text, line, column);
    }
}
