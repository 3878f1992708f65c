//! Signatures are checked by a verifier of their own, written after the standard and sharing nothing with the signer but the keys.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use proptest::prelude::*;

use super::super::sender::{Sender, SenderOptions};
use super::super::{Content, Envelope, compose};
use super::*;

/// An RSA key of 1024 bits (PKCS#8 in base64), made for this test; no library here would make one any more.
const SMALL: &str = "MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBALLjcxmJQmofSfkKa9zLIYcUonamSmZrNM1Q4fGDRuU9qpCAd1D+\
     6F4MDLzfQu2YlQ8JnrN4J74HxyfXccR9ePomRKSOZQaiP3TQLx3QvUXfOkodgatNRCzNnn6m6RTAtEtBzmwfP5fOkDZshsfCmLte\
     Twm5qJwLRwQyXMC2im83AgMBAAECgYBl5Hn99Jm4uqO2z4HKnIU3XMCBFozQM4Y64DQiDWVHU82gSxwrLVaLow9qUTzc+okErLUR\
     goIYknOUtPmfMtzBo1gCGZKVdPSTPAORZv6IvbR1IT+ClABJ3cwj/ox+vulsdb9ig9JB/c30yoz7iA2tS/ObsWIbznLLp5Cjiwmm\
     WQJBANhA958RJz3r7hrwvdMoNZuCVY/nFki52G5liv2oCMwzO0IH+XkwBzwHwMc3GAfRRnToePTyyVkw0LGsn345K9MCQQDTxGTv\
     rfcVFuTUQ3JtfZVxrdrL9y3e7q0EYBPoyF2TU3RkLS2PdWZJMdGyRjqRfi8e+3zy8qUQ4wGGwxrdagSNAkEAl08Fsy+OVH4ikIkH\
     WJpWv+M2uMRIzEP0knHMCWUsGqxx9uabgFbBiRgno3wB/V5JPP13vHOvvA8yxk5xHiEkbwJBAL0q7/uGzHPjWpAem+Ygy9Gbuxp+\
     eFRvotCIvuAvtB956jvee5duCOwTe72jrIfxT0h+4LPpevhlwCRQvvvQy7UCQQCk+weddxpv6S58xVAMCbNtPpm4u0yMH3ApDzVO\
     q9GupLM8vJdAcmz+1dom2DahzbZqxQ4OwuhGoyT7EEZEIlu8";

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    let dashes = "-".repeat(5);
    format!("{dashes}BEGIN {kind}{dashes}\n{}\n{dashes}END {kind}{dashes}\n", lines.join("\n"))
}

/// PKCS#8 of an RSA key of 2048 bits, and of an Ed25519 key.
fn ders() -> &'static [Vec<u8>; 2] {
    static DERS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    DERS.get_or_init(|| {
        let rsa: Pkcs8V1Der<'_> = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap().as_der().unwrap();
        let ed = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        [rsa.as_ref().to_vec(), ed.as_ref().to_vec()]
    })
}

const PKCS8: &str = "PRIVATE KEY";

fn text(selector: &str, pem: &str) -> KeyText {
    KeyText { domain: "shop.example".to_owned(), selector: selector.to_owned(), pem: pem.to_owned() }
}

fn keys() -> Vec<DkimKey> {
    let named = ["rsa", "ed"].iter().zip(ders());
    named.map(|(selector, der)| DkimKey::read(&text(selector, &pem(PKCS8, der))).unwrap()).collect()
}

/// The body in its relaxed form, a byte after the other.
fn plain_body(body: &str) -> String {
    let mut lines: Vec<String> = body
        .split("\r\n")
        .map(|line| {
            let mut out = String::new();
            for character in line.chars() {
                let character = if character == '\t' { ' ' } else { character };
                if !(character == ' ' && out.ends_with(' ')) {
                    out.push(character);
                }
            }
            out.strip_suffix(' ').map(str::to_owned).unwrap_or(out)
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

fn plain_field(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap();
    let value: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim().to_lowercase(), value.join(" "))
}

/// Checks the signature at the top of a mail, and gives what is below it.
fn verified<'a>(mail: &'a str, key: &DkimKey) -> Result<&'a str, String> {
    let mut fields = Vec::new();
    let (header, body) = mail.split_once("\r\n\r\n").unwrap();
    for line in header.split("\r\n") {
        match line.starts_with([' ', '\t']) {
            true => {
                let last: &mut String = fields.last_mut().unwrap();
                last.push_str("\r\n");
                last.push_str(line);
            }
            false => fields.push(line.to_owned()),
        }
    }
    let own = fields.remove(0);
    let value: String = own.split_once(':').unwrap().1.split_whitespace().collect();
    let tag = |name: &str| {
        value.split(';').find_map(|tag| tag.split_once('=').filter(|(found, _)| *found == name)).map(|(_, value)| value).unwrap()
    };
    assert_eq!((tag("v"), tag("c"), tag("d")), ("1", "relaxed/relaxed", "shop.example"));
    assert_eq!((tag("s"), tag("a")), (key.selector.as_str(), key.algorithm()));
    if STANDARD.encode(digest(&SHA256, plain_body(body).as_bytes())) != tag("bh") {
        return Err("the body".to_owned());
    }
    let mut left: Vec<&String> = fields.iter().collect();
    let mut signed = String::new();
    for name in tag("h").split(':') {
        let is_named = |field: &&String| field.split_once(':').unwrap().0.eq_ignore_ascii_case(name);
        if let Some(at) = left.iter().rposition(is_named) {
            signed.push_str(&plain_field(left.remove(at)));
            signed.push_str("\r\n");
        }
    }
    let unsigned = &own[..own.rfind("b=").unwrap() + 2];
    signed.push_str(&plain_field(unsigned));
    let record = key.record().unwrap();
    let public = STANDARD.decode(record.value.split_once("p=").unwrap().1).unwrap();
    let signature = STANDARD.decode(tag("b")).unwrap();
    let right = match key.algorithm() {
        "rsa-sha256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(signed.as_bytes(), &signature),
        _ => UnparsedPublicKey::new(&ED25519, public).verify(digest(&SHA256, signed.as_bytes()).as_ref(), &signature),
    };
    right.map_err(|_| format!("the signature of {signed:?}"))?;
    Ok(&mail[own.len() + 2..])
}

/// Signs with both keys and checks both signatures.
fn check(mail: &str) -> Result<(), String> {
    let (signatures, keys) = (sign(&keys(), mail).unwrap(), keys());
    assert!(signatures.split("\r\n").all(|line| line.len() <= 78), "{signatures}");
    let signed = format!("{signatures}{mail}");
    let rest = verified(&signed, &keys[0])?;
    assert_eq!(verified(rest, &keys[1])?, mail);
    Ok(())
}

#[test]
fn what_was_signed_is_verified_and_nothing_else() {
    let mail = "From: Shop <hello@shop.example>\r\nTo: a@x.de\r\nSubject: Hello\r\n  you \r\nDate: x\r\n\r\nHello  you \r\n\r\n";
    check(mail).unwrap();
    check("From: a@x.de\r\n\r\n").unwrap();
    let (signatures, keys) = (sign(&keys(), mail).unwrap(), keys());
    let refused = |changed: String| {
        assert_ne!(changed, mail);
        let signed = format!("{signatures}{changed}");
        // The second signature covers what the first one does.
        verified(&signed, &keys[0]).is_err()
    };
    assert!(refused(mail.replace("Hello\r\n", "Hullo\r\n")));
    assert!(refused(mail.replace("Hello  you", "Hello  me")));
    for added in ["From: eve@x.de", "Subject: More", "To: b@x.de", "Reply-To: eve@x.de", "List-Unsubscribe: <https://x.de>"] {
        assert!(refused(format!("{added}\r\n{mail}")), "{added}");
        assert!(refused(mail.replace("\r\n\r\nHello", &format!("\r\n{added}\r\n\r\nHello"))), "{added}");
    }
    // What relays do to white space, and a field that is not covered.
    for harmless in ["X-Spam: no\r\n".to_owned() + mail, mail.replace("Hello  you \r\n\r\n", "Hello you\r\n")] {
        assert!(!refused(harmless));
    }
}

#[test]
fn a_key_is_read_or_it_is_said_why_not() {
    let check = |pem: &str, expected: Result<&str, &str>| {
        let found = DkimKey::read(&text("s1", pem));
        match (found.as_ref().map(DkimKey::algorithm).map_err(ToString::to_string), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(why), Err(words)) => assert!(why.contains(words) && why.contains("s1._domainkey.shop.example"), "{why}"),
            (found, _) => panic!("{found:?}, not {expected:?}"),
        }
    };
    let [rsa, ed] = ders();
    // What PKCS#8 wraps is PKCS#1, behind 26 bytes that say so.
    let (pkcs8, pkcs1, ed) = (pem(PKCS8, rsa), pem("RSA PRIVATE KEY", &rsa[26..]), pem(PKCS8, ed));
    check(&pkcs8, Ok("rsa-sha256"));
    check(&pkcs1, Ok("rsa-sha256"));
    check(&ed, Ok("ed25519-sha256"));
    check(&ed.trim().replace('\n', "\\n"), Ok("ed25519-sha256"));
    check(&pem(PKCS8, &STANDARD.decode(SMALL).unwrap()), Err("fewer than 2048 bits"));
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
    check(&pem(PKCS8, ec.as_ref()), Err("neither RSA"));
    check("", Err("no private key in PEM"));
    check(&pem(PKCS8, b"x"), Err("damaged"));
    check(&pem(PKCS8, &rsa[..rsa.len() - 9]), Err("damaged"));
    let pkcs1 = DkimKey::read(&text("s1", &pkcs1)).unwrap().record().unwrap();
    assert_eq!(pkcs1, DkimKey::read(&text("s1", &pkcs8)).unwrap().record().unwrap());
    assert_eq!(pkcs1.name, "s1._domainkey.shop.example");
    assert!(pkcs1.value.starts_with("v=DKIM1; k=rsa; p=MII"), "{}", pkcs1.value);
}

/// Text that tries to be more than text.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z \r\n\t:.<>\"@=?ü€\u{0}\u{b}\u{85}\u{2028}-]{0,60}",
        "[ \t\r\n]{0,20}",
        "([a-z]{0,3}[ \t]{0,3}(\r\n|\n|\r)){0,12}",
        "[a-zü]{0,5}( [a-zü]{1,30}){0,60}",
        "[a-z.\n ]{900,2500}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_mail_that_is_built_is_signed_right(
        name in hostile(),
        subject in hostile(),
        value in hostile(),
        html in proptest::option::of(hostile()),
        text in proptest::option::of(hostile()),
    ) {
        let name = name.replace(['<', '>'], "");
        let options = SenderOptions { from: Some("hello@shop.example".to_owned()), ..SenderOptions::default() };
        let sender = Sender::read(&options).unwrap().unwrap();
        let envelope = Envelope {
            to: "jürgen@bücher.example".to_owned(),
            message_id: "7.1.hello.ab12@shop.example".to_owned(),
            from: Some(format!("{name} <news@shop.example>")),
            headers: vec![("List-Unsubscribe", value.clone()), ("Feedback-ID", value)],
            ..Envelope::default()
        };
        let content = Content { subject: Some(subject), html, text, ..Content::default() };
        if let Ok(mail) = compose::mail(&sender, &envelope, content) {
            prop_assert_eq!(check(&mail.text), Ok(()));
        }
    }

    #[test]
    fn the_canonical_body_is_that_of_the_standard(body in "([a-z \t]{0,6}(\r\n){0,3}){0,12}") {
        prop_assert_eq!(String::from_utf8(canonical::body(&body)).unwrap(), plain_body(&body));
    }
}
