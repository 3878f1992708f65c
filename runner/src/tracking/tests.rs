//! What is prepared, by example, and against an independent reader of HTML for whatever is not foreseen.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, TagKind, Token as HtmlToken, TokenSink, TokenSinkResult, Tokenizer};
use proptest::prelude::*;

use super::*;
use crate::state::ContactId;

const BASE: &str = "https://mail.shop.example";
const MESSAGE: MessageId = MessageId(7);
const ALL: Tracking = Tracking { opens: true, clicks: true };
const CLICKS: Tracking = Tracking { opens: false, clicks: true };
const OPENS: Tracking = Tracking { opens: true, clicks: false };

fn prepared(html: &str, tracking: Tracking) -> String {
    let token = Token { contact: ContactId(3), message: MESSAGE, topic: None };
    prepare(html, BASE, &Signer::new("secret"), MESSAGE, &token, tracking)
}

/// Where tracked links lead is shown in brackets, and the image as `(image)`.
#[track_caller]
fn check(html: &str, tracking: Tracking, expected: &str) {
    let mut out = prepared(html, tracking);
    let signer = Signer::new("secret");
    while let Some(at) = out.find(&format!("\"{BASE}/c/")) {
        let start = at + BASE.len() + 4;
        let end = start + out[start..].find('"').unwrap();
        let (message, url) = signer.open_link(&out[start..end]).unwrap();
        assert_eq!(message, MESSAGE);
        out.replace_range(at..=end, &format!("[{url}]"));
    }
    if let Some(at) = out.find(&format!("<img src=\"{BASE}/o/")) {
        let end = at + out[at..].find('>').unwrap();
        out.replace_range(at..=end, "(image)");
    }
    assert_eq!(out, expected);
}

#[test]
fn links_lead_by_the_runner() {
    check("<a href=\"https://x.example/?a=1&amp;b=2\">x</a>", CLICKS, "<a href=[https://x.example/?a=1&b=2]>x</a>");
    check("<A class='b' HREF = 'HTTP://x.example' id=i>", CLICKS, "<A class='b' HREF = [HTTP://x.example] id=i>");
    check("<a href=https://x.example/a/>x", CLICKS, "<a href=[https://x.example/a/]>x");
    check("<map><area href='https://x.example'/></map>", CLICKS, "<map><area href=[https://x.example]/></map>");
    check("<a\nhref=\"\n https://x.example/\n a \">", CLICKS, "<a\nhref=[https://x.example/ a]>");
    check("<a href=\"https://x.example/ä\">", CLICKS, "<a href=[https://x.example/ä]>");
    check(
        "<a href='https://a.example' href='https://b.example'>",
        CLICKS,
        "<a href=[https://a.example] href='https://b.example'>",
    );
    check("1 < 2 <a/href='https://x.example'>", CLICKS, "1 < 2 <a/href=[https://x.example]>");
    check(
        "<!--[if !mso]><!--><a href='https://x.example'><!--<![endif]-->",
        CLICKS,
        "<!--[if !mso]><!--><a href=[https://x.example]><!--<![endif]-->",
    );
}

#[test]
fn everything_else_stays_as_it_is() {
    for html in [
        "<a href=\"#top\">",
        "<a href='mailto:a@x.example'>",
        "<a href='tel:+49'>",
        "<a href='/here'>",
        "<a href='//x.example'>",
        "<a>",
        "<a href>",
        "<a href=''>",
        "<a href=\"javascript:alert(1)\">",
        "<a href='ftp://x.example'>",
        "<a href=\"https://x.example/?a&copy;b\">",
        "<a href=\"https://mail.shop.example/u/abc\">",
        "<a href='https://mail.shop.example/preferences/abc'>",
        "<a href='https://mail.shop.example/confirm/abc?x'>",
        "<a href='https://mail.shop.example/c/abc'>",
        "<!-- <a href='https://x.example'> -->",
        "<!--[if mso]><a href='https://x.example'><![endif]-->",
        "<!-- <a href='https://x.example'>",
        "<style><a href='https://x.example'></style>",
        "<script>'</scrip><a href=https://x.example>'</script>",
        "<title><a href='https://x.example'></title>",
        "<textarea><a href='https://x.example'>",
        "<plaintext><a href='https://x.example'></plaintext>",
        "<p title=\"<a href='https://x.example'>\">",
        "<link href='https://x.example'><img src='https://x.example'><abbr href='https://x.example'>",
        "<a href='https://x.example",
        "<a href='https://x.example'",
        "</a href='https://x.example'>",
        "< a href='https://x.example'>",
        "<?a href='https://x.example'>",
        "<!a href='https://x.example'>",
        "<a data-href='https://x.example'>",
        "<",
        "<a",
        "</",
        "<!",
        "<!-",
        "<!--",
        "",
    ] {
        check(html, CLICKS, html);
    }
    // Only the runner's pages are left out, not the shop's under the same address.
    check("<a href='https://mail.shop.example/ux'>", CLICKS, "<a href=[https://mail.shop.example/ux]>");
    check("<a href='https://mail.shop.example.evil/u/'>", CLICKS, "<a href=[https://mail.shop.example.evil/u/]>");
}

#[test]
fn a_link_can_be_left_out() {
    check("<a data-track=\"off\" href=\"https://x.example\">x</a>", ALL, "<a href=\"https://x.example\">x</a>(image)");
    check("<a href='https://x.example' DATA-TRACK=OFF>", CLICKS, "<a href='https://x.example'>");
    check("<a href='https://x.example'data-track='off'class=b>", CLICKS, "<a href='https://x.example'class=b>");
    check("<a x data-track='off'y>", CLICKS, "<a x y>");
    check("<a href='https://x.example' data-track=on>", CLICKS, "<a href=[https://x.example] data-track=on>");
    // Without it, what comes behind would be the value of what stands before.
    check("<a x data-track='off' =y href='https://x.example'>", CLICKS, "<a x data-track='off' =y href='https://x.example'>");
    // The switch is nobody's business but ours, whatever is tracked.
    check("<a data-track=off href='https://x.example'>", Tracking::default(), "<a href='https://x.example'>");
}

#[test]
fn an_image_at_the_end() {
    check("<html><body><p>x</p></body></html>", OPENS, "<html><body><p>x</p>(image)</body></html>");
    check("<p>x", OPENS, "<p>x(image)");
    check("", OPENS, "(image)");
    check(
        "<!-- </body> --><a href='https://x.example'></BODY >",
        ALL,
        "<!-- </body> --><a href=[https://x.example]>(image)</BODY >",
    );
    check("</body><p></body>", OPENS, "</body><p>(image)</body>");
    check("</body><!-- ", OPENS, "(image)</body><!-- ");
    for broken_off in ["<p>x<!-- ", "<style>x", "<p", "<p title='"] {
        check(broken_off, OPENS, broken_off);
    }
}

/// Reads a document with html5ever, telling it which elements hold text only, as its tree builder would.
#[derive(Default)]
struct Read(RefCell<Vec<Piece>>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Tag { closes: bool, name: String, attributes: Vec<(String, String)> },
    Text(String),
    Other(String),
}

impl TokenSink for Read {
    type Handle = ();

    fn process_token(&self, token: HtmlToken, _: u64) -> TokenSinkResult<()> {
        let mut pieces = self.0.borrow_mut();
        match token {
            HtmlToken::TagToken(tag) => {
                let attributes = tag.attrs.iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
                let (closes, name) = (tag.kind == TagKind::EndTag, tag.name.to_string());
                pieces.push(Piece::Tag { closes, name: name.clone(), attributes });
                return match (closes, name.as_str()) {
                    (false, "script") => TokenSinkResult::RawData(RawKind::ScriptData),
                    (false, "title" | "textarea") => TokenSinkResult::RawData(RawKind::Rcdata),
                    (false, "style" | "xmp" | "iframe" | "noembed" | "noframes") => TokenSinkResult::RawData(RawKind::Rawtext),
                    (false, "plaintext") => TokenSinkResult::Plaintext,
                    _ => TokenSinkResult::Continue,
                };
            }
            HtmlToken::CharacterTokens(text) => match pieces.last_mut() {
                Some(Piece::Text(before)) => before.push_str(&text),
                _ => pieces.push(Piece::Text(text.to_string())),
            },
            HtmlToken::NullCharacterToken | HtmlToken::ParseError(_) | HtmlToken::EOFToken => {}
            HtmlToken::CommentToken(text) => pieces.push(Piece::Other(text.to_string())),
            HtmlToken::DoctypeToken(doctype) => pieces.push(Piece::Other(format!("{doctype:?}"))),
        }
        TokenSinkResult::Continue
    }
}

fn pieces(html: &str) -> Vec<Piece> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Read::default(), Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// What tracking makes of the pieces of a document.
fn expected(pieces: Vec<Piece>, signer: &Signer) -> Vec<Piece> {
    let change = |piece| match piece {
        Piece::Tag { closes: false, name, mut attributes } if name == "a" || name == "area" => {
            if let Some(at) =
                attributes.iter().position(|(name, value)| name == "data-track" && value.eq_ignore_ascii_case("off"))
            {
                attributes.remove(at);
            } else if let Some((_, value)) = attributes.iter_mut().find(|(name, _)| name == "href") {
                let url = value.trim().replace(['\n', '\t'], "");
                if url.to_ascii_lowercase().starts_with("http://") || url.to_ascii_lowercase().starts_with("https://") {
                    *value = format!("{BASE}/c/{}", signer.sign_link(MESSAGE, &url));
                }
            }
            Piece::Tag { closes: false, name, attributes }
        }
        piece => piece,
    };
    pieces.into_iter().map(change).collect()
}

/// Documents of pieces that belong together in no way at all.
fn documents() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<a href=\"https://x.example/?a=1&amp;b=2\">",
        "<a href='http://y.example'",
        "<a href=https://z.example/>",
        "<area HREF='HTTPS://x.example'>",
        "<a data-track=off href='https://x.example'>",
        "<a data-track='off'x",
        "data-track=\"off\"",
        "</a>",
        "<a",
        "<A ",
        "<abbr ",
        "href=",
        "href",
        "=",
        "'",
        "\"",
        ">",
        "/>",
        "/",
        "<",
        "</",
        " ",
        "\n",
        "<!--",
        "-->",
        "--!>",
        "<!-->",
        "<!--->",
        "--",
        "-",
        "!",
        "<!",
        "<?",
        "<!doctype html>",
        "<![CDATA[",
        "]]>",
        "<![endif]-->",
        "<!--[if mso]>",
        "<script>",
        "</script>",
        "</script ",
        "<script",
        "<style>",
        "</style>",
        "</styles>",
        "<title>",
        "</title>",
        "<TEXTAREA>",
        "</textarea>",
        "<iframe>",
        "</iframe/",
        "<p>",
        "</p>",
        "<body>",
        "</body>",
        "x",
        "ä",
        "🎉",
        "https://x.example",
        "http://",
        "mailto:a@b",
        "#top",
        "&amp;",
        "&#38;",
        "&quot;",
        "&",
        "a&b=1",
        "=\"",
        "='",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn another_reader_sees_the_same_document_with_other_links(html in documents()) {
        // References by names that are not known here are left alone, which the other reader cannot know.
        prop_assume!(!html.contains("&b") || html.contains("a&b=1") && !html.contains("a&b=1&"));
        // Nor are such signs of equality taken away from the switch: see above.
        let close: String = html.split_ascii_whitespace().collect();
        prop_assume!(!["off=", "off\"=", "off'="].iter().any(|part| close.to_ascii_lowercase().contains(part)));
        prop_assert_eq!(pieces(&prepared(&html, CLICKS)), expected(pieces(&html), &Signer::new("secret")));
    }

    #[test]
    fn an_image_is_all_that_opens_add(html in documents()) {
        let out = prepared(&html, OPENS);
        let plain = prepared(&html, Tracking::default());
        let start = out.find("<img src=\"https://mail.shop.example/o/");
        let rest = start.map_or(out.clone(), |at| {
            let end = at + out[at..].find('>').unwrap_or_default();
            format!("{}{}", &out[..at], &out[end + 1..])
        });
        prop_assert_eq!(rest, plain);
        // It is one, wherever it was put.
        let images = pieces(&out).iter().filter(|piece| matches!(piece, Piece::Tag { name, .. } if name == "img")).count();
        prop_assert_eq!(images, usize::from(start.is_some()));
    }

    /// Every byte but those of the links themselves stays.
    #[test]
    fn what_is_between_the_links_stays(
        between in prop::collection::vec("[ a-zäöü\n.,;&<0-9]{0,12}", 2..6),
        links in prop::collection::vec("https?://[a-z]{1,8}\\.example/[a-z0-9/?=&%~-]{0,20}", 1..5),
    ) {
        let signer = Signer::new("secret");
        let (mut html, mut after) = (String::new(), String::new());
        for (index, text) in between.iter().enumerate() {
            let text = text.replace('<', "< ");
            html += &text;
            after += &text;
            if let Some(link) = links.get(index) {
                html += &format!("<a class=x href=\"{}\" id='y'>", encode(link));
                after += &format!("<a class=x href=\"{BASE}/c/{}\" id='y'>", signer.sign_link(MESSAGE, link));
            }
        }
        prop_assert_eq!(prepared(&html, CLICKS), after);
    }
}
