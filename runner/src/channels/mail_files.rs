//! The files that go with a mail: images that its HTML body shows stand beside that body (RFC 2387, multipart/related), attachments
//! beside all of it (RFC 2046 section 5.1.3, multipart/mixed).

use lettre::message::header::{ContentDisposition, ContentId, ContentType};
use lettre::message::{Attachment, Body, MaybeString, MultiPart, SinglePart};

use super::File;
use super::address::without_controls;
use super::mail::MailError;

/// The bodies with the files around them. An image without an HTML body to show it is an attachment.
pub(super) fn around(text: Option<MaybeString>, html: Option<MaybeString>, files: Vec<File>) -> Result<MultiPart, MailError> {
    let has_html = html.is_some();
    let (images, attachments): (Vec<File>, Vec<File>) = files.into_iter().partition(|file| has_html && file.content_id.is_some());
    let html = html.map(SinglePart::html);
    let html = match (html, images.is_empty()) {
        (Some(html), false) => {
            let mut related = MultiPart::related().singlepart(html);
            for image in images {
                related = related.singlepart(part(image)?);
            }
            Some(Piece::Many(related))
        }
        (html, _) => html.map(Piece::One),
    };
    let bodies = match (text.map(SinglePart::plain), html) {
        (Some(text), Some(html)) => Piece::Many(html.into(MultiPart::alternative().singlepart(text))),
        (text, html) => html.unwrap_or_else(|| Piece::One(text.unwrap_or_else(|| SinglePart::plain(String::new())))),
    };
    if attachments.is_empty() {
        return Ok(match bodies {
            Piece::Many(bodies) => bodies,
            one => one.into(MultiPart::mixed().build()),
        });
    }
    let mut mixed = bodies.into(MultiPart::mixed().build());
    for attachment in attachments {
        mixed = mixed.singlepart(part(File { content_id: None, ..attachment })?);
    }
    Ok(mixed)
}

enum Piece {
    One(SinglePart),
    Many(MultiPart),
}

impl Piece {
    fn into(self, outer: MultiPart) -> MultiPart {
        match self {
            Piece::One(part) => outer.singlepart(part),
            Piece::Many(part) => outer.multipart(part),
        }
    }
}

fn part(file: File) -> Result<SinglePart, MailError> {
    // Names come from the project's files; a control character in one could still begin a header.
    let name = without_controls(&file.name);
    let Ok(kind) = ContentType::parse(&file.media_type) else {
        return Err(MailError::File(name, file.media_type));
    };
    let body = Body::new(file.bytes.to_vec());
    Ok(match file.content_id {
        None => Attachment::new(name).body(body, kind),
        Some(id) => SinglePart::builder()
            .header(ContentId::from(format!("<{}>", without_controls(&id))))
            .header(ContentDisposition::inline_with_name(&name))
            .header(kind)
            .body(body),
    })
}
