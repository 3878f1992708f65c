//! What stands for what, from which place.

use super::*;

fn in_environment(name: &str) -> Option<String> {
    match name {
        "FROM_ENV" | "BOTH" => Some("env".to_owned()),
        "HARD" => Some("p@ss/w:ord%".to_owned()),
        _ => None,
    }
}

fn secrets() -> (tempfile::TempDir, Secrets) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), "BOTH=file\nFROM_FILE=file\n").unwrap();
    std::fs::write(dir.path().join("FROM_MANAGER"), "credential\n").unwrap();
    let secrets = Secrets::from_places(in_environment, dir.path().join(".env"), Some(dir.path().to_owned())).unwrap();
    (dir, secrets)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(secrets().1.resolve(&Secret(text.to_owned()), "here").unwrap(), expected);
}

#[test]
fn finds_names_in_three_places() {
    check("${FROM_ENV}", "env");
    check("a ${FROM_FILE} b ${FROM_ENV}${FROM_ENV}", "a file b envenv");
    check("${BOTH}", "env");
    check("${FROM_MANAGER}", "credential");
    check("nothing", "nothing");
    check("${not a name} $FROM_ENV ${FROM_ENV", "${not a name} $FROM_ENV ${FROM_ENV");
}

#[track_caller]
fn check_url(url: &str, expected: &str) {
    assert_eq!(secrets().1.resolve_url(&Secret(url.to_owned()), "here").unwrap(), expected);
}

#[test]
fn encodes_a_password_in_a_url() {
    check_url("smtps://me:${HARD}@host:465", "smtps://me:p%40ss%2Fw%3Aord%25@host:465");
    check_url("smtp://${FROM_ENV}:25", "smtp://env:25");
    check_url("smtp://a:b@${FROM_ENV}", "smtp://a:b@env");
    check_url("${HARD}", "p@ss/w:ord%");
}

#[test]
fn says_what_is_missing_and_where_it_may_stand() {
    let (dir, secrets) = secrets();
    let error = secrets.resolve(&Secret("${FROM_ENV}${NOPE}".to_owned()), "http.keys").unwrap_err().to_string();
    let dotenv = dir.path().join(".env");
    let expected = format!(
        "http.keys needs ${{NOPE}}, which is nowhere: set the environment variable NOPE, write NOPE=… into {}, \
         or let the service manager load a credential named NOPE",
        dotenv.display()
    );
    assert_eq!(error, expected);
}

#[track_caller]
fn check_file(text: &str, expected: Result<&[(&str, &str)], usize>) {
    let expected = expected.map(|pairs| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    assert_eq!(parse(text), expected, "{text:?}");
}

#[test]
fn reads_the_file_as_others_do() {
    check_file("", Ok(&[]));
    check_file("# c\n\n A = b \nexport C=d", Ok(&[("A", "b"), ("C", "d")]));
    check_file("A=b # c\nB=b#c\nC=# c\nD=", Ok(&[("A", "b"), ("B", "b#c"), ("C", ""), ("D", "")]));
    check_file(r#"A='x # "y" \n' # c"#, Ok(&[("A", r#"x # "y" \n"#)]));
    check_file(r#"A="x # \"y\"\n\\ \d" # c"#, Ok(&[("A", "x # \"y\"\n\\ \\d")]));
    check_file("A=b=c\r\nB=d\r\n", Ok(&[("A", "b=c"), ("B", "d")]));
    check_file("A=b\nnonsense", Err(2));
    check_file("1A=b", Err(1));
    check_file("A=\"b", Err(1));
    check_file("A='b' c", Err(1));
}
