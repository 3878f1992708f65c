//! Rows that are used, and rows that are rejected with their line and a reason.

use super::*;

#[track_caller]
fn check<T: Source + Show>(format: Format, text: impl AsRef<[u8]>, expected: &[&str]) {
    let reader = reader::<T>(text.as_ref(), format, &[], true).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rows(reader), expected);
}

#[track_caller]
fn contact(json: &str, expected: &str) {
    check::<ContactInput>(Format::JsonLines, json, &[&format!("1{expected}")]);
}

#[track_caller]
fn event(json: &str, expected: &str) {
    check::<Occurrence>(Format::JsonLines, json, &[&format!("1{expected}")]);
}

#[test]
fn contacts_of_json_lines() {
    contact(
        r#"{"id":"ada","email":"ada@example.com","phone":"+49","locale":"de","time_zone":"Asia/Tokyo","topics":["offers"],"attributes":{"age":36}}"#,
        r#": ada email=ada@example.com phone=+49 locale=de time_zone=Asia/Tokyo topics=offers {"age":36}"#,
    );
    contact(r#"{"id":"ada","name":"Ada","attributes":{"vip":true}}"#, r#": ada {"name":"Ada","vip":true}"#);
    contact(r#"{"id":"ada","topics":[],"email":null,"attributes":null}"#, ": ada topics=");
    contact(r#"{"id":"ada","name":"a\u0000b\r\nc<b>"}"#, r#": ada {"name":"a\u0000b\r\nc<b>"}"#);
    contact(r#"{"id":"Ädä 💌"}"#, ": Ädä 💌");
    let long = "x".repeat(1024 * 1024);
    contact(&format!(r#"{{"id":"ada","name":"{long}"}}"#), &format!(r#": ada {{"name":"{long}"}}"#));
}

#[test]
fn contacts_that_are_rejected() {
    contact("{", "! not valid JSON: EOF while parsing an object at column 1");
    contact("[1]", "! not a JSON object");
    contact(r#"{"id":"ada"} x"#, "! not valid JSON: trailing characters at column 14");
    contact(r#"{"email":"ada@example.com"}"#, "! there is no `id`");
    contact(r#"{"id":null}"#, "! there is no `id`");
    contact(r#"{"id":""}"#, "! `id` is empty");
    contact(r#"{"id":7}"#, "! `id` must be text");
    contact(r#"{"id":"a\nb"}"#, "! `id` holds control characters");
    contact(r#"{"id":"ada","email":"a@b.example\r\nBcc: x"}"#, "! `email` holds control characters");
    contact(r#"{"id":"ada","email":"nowhere"}"#, "! `email` must be an email address");
    contact(r#"{"id":"ada","phone":49}"#, "! `phone` must be text");
    contact(r#"{"id":"ada","topics":"offers"}"#, "! `topics` must be a list of topic names");
    contact(r#"{"id":"ada","topics":[1]}"#, "! `topics` must be a list of topic names");
    contact(r#"{"id":"ada","attributes":[]}"#, "! `attributes` must be an object");
    contact(r#"{"id":"ada","attributes":{"email":"x"}}"#, "! `email` is no attribute; it stands beside `attributes`");
    contact(r#"{"id":"ada","name":"A","attributes":{"name":"B"}}"#, "! `name` is given twice, once under `attributes`");
    contact(r#"{"id":"ada","id":"bo"}"#, "! the key `id` is given twice");
    contact(r#"{"id":"ada","place":{"x":1,"x":2}}"#, "! the key `x` is given twice");
    contact(r#"{"id":"ada","age":"36"}"#, "! `age` must be a number");
    contact(r#"{"id":"\ud800"}"#, "! not valid JSON: unexpected end of hex escape at column 14");
}

#[test]
fn what_is_odd_is_reported_and_used() {
    let zone = "1? the `time_zone` is not an IANA name that is known here; the project's is used";
    check::<ContactInput>(
        Format::JsonLines,
        r#"{"id":"ada","time_zone":"Mars/Base","topics":["golf"]}"#,
        &["1: ada time_zone=Mars/Base topics=golf", zone, "1? the settings know no topic `golf`"],
    );
}

#[test]
fn events_of_json_lines() {
    event(r#"{"at":"2026-03-29T09:00:00Z","contact":"ada","event":"order"}"#, ": 2026-03-29T11:00:00+02:00 ada order {}");
    event(r#"{"at":"2026-03-29T09:00","contact":"ada","event":"order"}"#, ": 2026-03-29T09:00:00+02:00 ada order {}");
    event(r#"{"at":"2026-03-29","contact":"ada","event":"order"}"#, ": 2026-03-29T00:00:00+01:00 ada order {}");
    event(
        r#"{"at":"2026-03-29","contact":"ada","event":"order","id":"o1","properties":{"total":2},"note":"n"}"#,
        r#": 2026-03-29T00:00:00+01:00 ada order id=o1 {"note":"n","total":2}"#,
    );
    let row = |rest: &str| format!(r#"{{"at":"2026-03-29","contact":"ada",{rest}}}"#);
    let read = |what: &str| format!(": 2026-03-29T00:00:00+01:00 ada {what}");
    event(&row(r#""set":{"age":36,"name":null}"#), &read(r#"set {"age":36,"name":null}"#));
    event(&row(r#""subscribe":"offers""#), &read("subscribe offers"));
    event(&row(r#""unsubscribe":"all""#), &read("unsubscribe all"));
    event(&row(r#""erase":true"#), &read("erase"));
    event(&row(r#""event":null,"erase":true"#), &read("erase"));
    event(&row(r#""event":"message_clicked","properties":{"template":"t"}"#), &read(r#"message_clicked {"template":"t"}"#));
}

#[test]
fn events_that_are_rejected() {
    let row = |rest: &str| format!(r#"{{"at":"2026-03-29","contact":"ada"{rest}}}"#);
    event(r#"{"contact":"ada","event":"order"}"#, "! there is no `at`");
    event(r#"{"at":1774774800,"contact":"ada","event":"order"}"#, "! `at` must be text");
    let no_time = "! `at` is no time; write it like 2026-03-29T09:00:00+02:00";
    event(r#"{"at":"1774774800","contact":"ada","event":"order"}"#, no_time);
    event(r#"{"at":"2026-02-30","contact":"ada","event":"order"}"#, no_time);
    event(r#"{"at":"2026-03-29","event":"order"}"#, "! there is no `contact`");
    event(
        &row(""),
        "! it says nothing that happened: there must be one of `event`, `set`, `subscribe`, `unsubscribe`, `confirm`, `erase`",
    );
    event(&row(r#","event":"order","erase":true"#), "! `event` and `erase` cannot stand in one row");
    event(&row(r#","erase":false"#), "! `erase` can only be true");
    event(&row(r#","subscribe":true"#), "! `subscribe` must be text");
    event(&row(r#","subscribe":"offers","total":1"#), "! `total` does not belong beside `subscribe`");
    event(&row(r#","set":[]"#), "! `set` must be an object");
    event(&row(r#","set":{"id":"bo"}"#), "! `set` cannot change the `id`");
    event(&row(r#","set":{"topics":[]}"#), "! `set` cannot change `topics`; use `subscribe` and `unsubscribe`");
    event(&row(r#","set":{"age":"old"}"#), "! `age` must be a number");
    event(&row(r#","event":"order","properties":{"total":"2"}"#), "! `total` must be a number");
    event(&row(r#","event":"order","total":2,"properties":{"total":2}"#), "! `total` is given twice, once under `properties`");
    event(&row(r#","event":"ordr""#), "! no schema declares the event `ordr`; add schemas/events/ordr.schema.json");
    event(&row(r#","event":"order","id":7"#), "! `id` must be text");
}

#[test]
fn one_bad_line_does_not_stop_the_others() {
    let mut text = b"\xEF\xBB\xBF{\"id\":\"a\"}\r\n\r\n{\"id\":\"b\xFF\"}\n".to_vec();
    text.extend(format!("{{\"id\":\"c\",\"name\":\"{}\"}}\n", "x".repeat(2 * 1024 * 1024)).bytes());
    text.extend(b"{\"id\":\"d\"}");
    check::<ContactInput>(Format::JsonLines, text, &["1: a", "3! not UTF-8", "4! longer than 2 MiB", "5: d"]);
}

#[test]
fn contacts_of_csv() {
    check::<ContactInput>(
        Format::Csv,
        "\u{feff}id,email,topics,name,age,vip,tags\r\nada,ada@example.com,offers;news,\"Ada, \"\"L\"\"\r\nLovelace\",36,yes,a|b\r\n\r\nbo,,\"offers,news\",,,,\r\n",
        &[
            r#"2: ada email=ada@example.com topics=offers+news {"age":36,"name":"Ada, \"L\"\r\nLovelace","tags":["a","b"],"vip":true}"#,
            "5: bo topics=offers+news",
        ],
    );
    check::<ContactInput>(
        Format::Csv,
        "id;age;place;born\nada;1.5;\"{\"\"city\"\":\"\"Bonn\"\"}\";2000-01-01\nbo;007;;\n",
        &[r#"2: ada {"age":1.5,"born":"2000-01-01","place":{"city":"Bonn"}}"#, r#"3: bo {"age":7}"#],
    );
    check::<ContactInput>(Format::Csv, "id\tname\nada\t5\" pipe, \"x\"; y\n", &[r#"2: ada {"name":"5\" pipe, \"x\"; y"}"#]);
}

#[test]
fn rows_of_csv_that_are_rejected() {
    let header = "id,age,vip,place,email\n";
    let check_row = |row: &str, expected: &str| check::<ContactInput>(Format::Csv, format!("{header}{row}"), &[expected]);
    check_row("ada,old,,,", "2! `age` must be a number");
    check_row("ada,nan,,,", "2! `age` must be a number");
    check_row("ada,,maybe,,", "2! `vip` must be true or false");
    check_row("ada,,,{,", "2! `place`: not valid JSON: EOF while parsing an object at column 1");
    check_row(",1,,,", "2! there is no `id`");
    check_row("ada,1", "2! it has 2 cells where the header names 5 columns");
    check_row("ada,,,,nowhere", "2! `email` must be an email address");
    let open = "a quoted cell begins here that is never closed";
    check::<ContactInput>(
        Format::Csv,
        "id,name\nada,\"A\nbo,B\ncy,C\n",
        &[&format!("2! {open}"), r#"3: bo {"name":"B"}"#, r#"4: cy {"name":"C"}"#],
    );
}

#[test]
fn without_a_contract_cells_are_text() {
    let reader = reader::<ContactInput>(b"id,age\nada,036\n", Format::Csv, &[], false).unwrap();
    assert_eq!(rows(reader), [r#"2: ada {"age":"036"}"#]);
}

#[test]
fn events_of_csv() {
    check::<Occurrence>(
        Format::Csv,
        "at,contact,event,id,total,note,unsubscribe,erase\n2026-03-29T09:00,ada,order,o1,12.50,7,,\n2026-03-30,ada,,,,,all,\n2026-03-31,ada,,,,,,true\n2026-03-31,ada,,,,,,\n",
        &[
            r#"2: 2026-03-29T09:00:00+02:00 ada order id=o1 {"note":"7","total":12.5}"#,
            "3: 2026-03-30T00:00:00+02:00 ada unsubscribe all",
            "4: 2026-03-31T00:00:00+02:00 ada erase",
            "5! it says nothing that happened: there must be one of `event`, `set`, `subscribe`, `unsubscribe`, `confirm`, `erase`",
        ],
    );
}

#[test]
fn columns_are_renamed() {
    let map = [("Kunden-Nr.", "id"), ("E-Mail Address", "email")];
    let text = b"Kunden-Nr.,E-Mail Address\n7,ada@example.com\n";
    assert_eq!(rows(reader::<ContactInput>(text, Format::Csv, &map, true).unwrap()), ["2: 7 email=ada@example.com"]);
}

#[test]
fn header_rows_that_cannot_be_used() {
    let check = |text: &str, format: Format, map: &[(&str, &str)], expected: &str| {
        let error = reader::<ContactInput>(text.as_bytes(), format, map, true).err().unwrap();
        assert_eq!(error.to_string(), expected);
    };
    check("", Format::Csv, &[], "the file is empty; its first row must name the columns");
    let no_id = "there is no column `id`; name the one that holds it with --map 'COLUMN=id'";
    check("email\n", Format::Csv, &[], no_id);
    check("id,a,a\n", Format::Csv, &[], "the header row cannot be used: two columns are named `a`");
    check("id,,a\n", Format::Csv, &[], "the header row cannot be used: column 2 has no name");
    check("id,a\n", Format::Csv, &[("b", "c")], "--map names the column `b`, which the file does not have");
    check("", Format::JsonLines, &[("b", "c")], "--map and --from are for the columns of CSV; this is JSON Lines");
}

#[test]
fn the_ending_tells_the_format() {
    for (name, expected) in
        [("a.csv", Format::Csv), ("a.TSV", Format::Csv), ("a.jsonl", Format::JsonLines), ("a", Format::JsonLines)]
    {
        assert_eq!(Format::of(std::path::Path::new(name)), expected, "{name}");
    }
}

proptest::proptest! {
    /// Whatever a file holds, reading comes to its end, and every row is one of its lines.
    #[test]
    fn any_bytes_are_read_to_the_end(
        lines in proptest::collection::vec("(id|a|\"|\"\"|,|;|\r|\u{0}|\\{|\\}|:|é){0,8}", 0..12),
        csv in proptest::bool::ANY,
    ) {
        let text = format!("id,name\n{}", lines.join("\n"));
        let format = if csv { Format::Csv } else { Format::JsonLines };
        let mut last = 0;
        for row in reader::<ContactInput>(text.as_bytes(), format, &[], false).unwrap() {
            let line = match row.unwrap() { Ok(row) => row.line, Err(rejection) => rejection.line };
            proptest::prop_assert!(line > last && line <= lines.len() as u64 + 1);
            last = line;
        }
    }
}
