//! What mail tools export, and data that breaks the contract where the project accepts it.

use std::io::Cursor;

use dsl::model::InvalidData;

use super::super::Tool;
use super::*;

const CONTACT: &str = r#"{ "type": "object", "properties": {
    "first_name": { "type": "string" }, "country": { "type": "string" }, "birthday": { "type": "string", "format": "date" },
    "tags": { "type": "array", "items": { "type": "string" } }, "member_rating": { "type": "number" } } }"#;

fn expected(more: &str) -> Expected {
    let settings = format!("{SETTINGS}{more}");
    let files = [("campaignd.yaml", settings.as_str()), ("schemas/contact.schema.json", CONTACT)];
    let compiled = dsl::compile(&ProjectFiles::from_texts(files));
    Expected::of(&compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics)))
}

/// What is read, and which columns are left out.
#[track_caller]
fn check(tool: &str, more: &str, text: &str, read: &[&str], left_out: &[&str]) {
    let mapping = Mapping { map: Vec::new(), tool: Tool::named(tool) };
    let reader =
        Reader::<ContactRow>::new(Box::new(Cursor::new(text.to_owned())), Format::Csv, &mapping, Arc::new(expected(more)));
    let reader = reader.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(reader.left_out(), left_out);
    assert_eq!(rows(reader), read);
}

#[test]
fn the_columns_of_mail_tools_are_known() {
    check(
        "mailchimp",
        "",
        "\"Email Address\",\"First Name\",Birthday,MEMBER_RATING,CONFIRM_TIME,UNSUB_TIME,TAGS\n\
         Ada@Example.com,Ada,05/17,2,\"2019-05-08 09:50:41\",,\"\"\"VIP\"\",\"\"Blog\"\"\"\n\
         bo@example.com,,,,\"2019-05-08 09:50:41\",\"2020-01-01 10:00:00\",\ncy@example.com,Cy,,,,,",
        &[
            r#"2: ada@example.com email=Ada@Example.com {"first_name":"Ada","member_rating":2,"tags":["VIP","Blog"]} (by e-mail) yes"#,
            "3: bo@example.com email=bo@example.com (by e-mail) no",
            r#"4: cy@example.com email=cy@example.com {"first_name":"Cy"} (by e-mail)"#,
        ],
        &["Birthday", "CONFIRM_TIME", "UNSUB_TIME"],
    );
    check(
        "klaviyo",
        "",
        "Email,First Name,Phone Number,Country,Email Marketing Consent\nada@example.com,Ada,+49301,DE,SUBSCRIBED\n\
         bo@example.com,Bo,,AT,UNSUBSCRIBED\ncy@example.com,Cy,,CH,NEVER_SUBSCRIBED",
        &[
            r#"2: ada@example.com email=ada@example.com phone=+49301 {"country":"DE","first_name":"Ada"} (by e-mail) yes"#,
            r#"3: bo@example.com email=bo@example.com {"country":"AT","first_name":"Bo"} (by e-mail) no"#,
            r#"4: cy@example.com email=cy@example.com {"country":"CH","first_name":"Cy"} (by e-mail)"#,
        ],
        &["Email Marketing Consent"],
    );
    check(
        "hubspot",
        "contract: open\n",
        "Record ID,First Name,Last Name,Email,Country/Region,Unsubscribed from all email\n\
         51,Ada,Lovelace,ada@example.com,DE,FALSE\n52,,,,,\n53,Cy,,cy@example.com,,TRUE",
        &[
            r#"2: 51 email=ada@example.com {"country":"DE","first_name":"Ada","last_name":"Lovelace","unsubscribed_from_all_email":"FALSE"}"#,
            "3: 52",
            r#"4: 53 email=cy@example.com {"first_name":"Cy","unsubscribed_from_all_email":"TRUE"} no"#,
        ],
        &[],
    );
}

#[test]
fn what_breaks_the_contract_is_a_warning_where_that_is_accepted() {
    let mut expected = expected("");
    let mut settings = dsl::model::Settings::clone(&expected.settings);
    settings.invalid_data = InvalidData::Accept;
    expected.settings = Arc::new(settings);
    let text = "{\"id\":\"ada\",\"country\":7}\n{\"id\":7}";
    let reader =
        Reader::<ContactRow>::new(Box::new(Cursor::new(text)), Format::JsonLines, &Mapping::default(), Arc::new(expected))
            .unwrap();
    assert_eq!(rows(reader), [r#"1: ada {"country":7}"#, "1? `country` must be text", "2! `id` must be text"]);
}
