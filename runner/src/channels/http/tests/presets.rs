//! Each provider's request, and what its answers mean.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;

use super::super::super::RefusalKind::{self, Hard, Other};
use super::*;

fn preset(preset: Preset, options: &[(&str, &str)], url: Option<&str>, server: &str) -> HttpWay {
    let mut options: BTreeMap<String, Secret> =
        options.iter().map(|(name, text)| ((*name).to_owned(), Secret((*text).to_owned()))).collect();
    if let Some(name) = url {
        options.insert(name.to_owned(), Secret(format!("{server}/")));
    }
    HttpWay::Preset(preset, options)
}

fn fields(body: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
    body.split('&').map(|field| field.split_once('=').unwrap()).map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// An answer, how the outcome's words begin, and what it says of the recipient.
type Case = (Act, &'static str, Option<(RefusalKind, Option<&'static str>)>);

/// Sends one message for each answer; gives what the provider was asked.
async fn check(way: impl FnOnce(&str) -> HttpWay, to: &str, body: &str, cases: Vec<Case>) -> Ran {
    let message =
        || Content { subject: Some("Hello".to_owned()), ..content(body, json!({ "code": "42", "n": 7, "contact": {} })) };
    let messages = cases.iter().map(|_| (to, message())).collect();
    let (answers, expected): (Vec<Act>, Vec<_>) =
        cases.into_iter().map(|(answer, words, refusal)| (answer, (words, refusal))).unzip();
    let ran = run(way, messages, answers).await;
    for (report, (begin, refusal)) in ran.reports.iter().zip(expected) {
        let found = words(&report.outcome);
        assert!(found.starts_with(begin) && !found.contains(to), "{found}, not {begin}");
        let said = report.refusal.as_ref().map(|refusal| (refusal.kind, refusal.status.as_deref()));
        assert_eq!(said, refusal, "{found}");
    }
    ran
}

#[tokio::test]
async fn twilio() {
    let error =
        |status: &str, code: u32| plain(status, "", &format!(r#"{{"code": {code}, "message": "+491 is wrong", "status": 400}}"#));
    let options = [("account", "AC1"), ("token", "t0k"), ("from", "+15005550006")];
    let way = |server: &str| preset(Preset::Twilio, &options, Some("url"), server);
    let cases = vec![
        (plain("201 Created", "", r#"{"sid": "SM1"}"#), "sent", None),
        (error("400 Bad", 21211), "failed: the server answered 400, error 21211", Some((Hard, Some("21211")))),
        (error("400 Bad", 21614), "failed", Some((Hard, Some("21614")))),
        (error("400 Bad", 21610), "failed", Some((Hard, Some("21610")))),
        (error("400 Bad", 21408), "failed", Some((Other, Some("21408")))),
        (error("429 Slow", 20429), "deferred: the server answered 429, error 20429", None),
        (error("503 No", 20500), "deferred", None),
    ];
    let ran = check(way, "+491", "Hi & bye", cases).await;
    assert!(ran.requests[0].starts_with("POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1\r\n"), "{}", ran.requests[0]);
    assert_eq!(ran.header(0, "authorization"), Some(format!("Basic {}", STANDARD.encode("AC1:t0k")).as_str()));
    assert_eq!(ran.header(0, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(ran.header(0, "idempotency-key"), Some("7.1.hello.ab12"));
    assert_eq!(ran.body(0), "To=%2B491&From=%2B15005550006&Body=Hi+%26+bye");
    let service = format!("MG{}", "0".repeat(32));
    let options = [("account", "AC1"), ("token", "t0k"), ("from", service.as_str())];
    let way = |server: &str| preset(Preset::Twilio, &options, Some("url"), server);
    let ran = check(way, "+491", "x", vec![(plain("201 Created", "", ""), "sent", None)]).await;
    assert!(ran.body(0).contains("&MessagingServiceSid=MG0"), "{}", ran.body(0));
}

#[tokio::test]
async fn vonage() {
    let answer = |statuses: &[&str]| {
        let parts: Vec<Value> =
            statuses.iter().map(|status| json!({ "status": status, "to": "491", "error-text": "491 is wrong" })).collect();
        plain("200 OK", "", &json!({ "message-count": parts.len().to_string(), "messages": parts }).to_string())
    };
    let options = [("key", "k"), ("secret", "s"), ("from", "Shop")];
    let way = |server: &str| preset(Preset::Vonage, &options, Some("url"), server);
    let cases = vec![
        (answer(&["0"]), "sent", None),
        (answer(&["0", "0"]), "sent", None),
        (answer(&["1"]), "deferred: the provider refused it with status 1", None),
        (answer(&["0", "5"]), "deferred", None),
        (answer(&["4"]), "failed: the provider refused it with status 4", Some((Other, Some("4")))),
        (answer(&["7"]), "failed", Some((Hard, Some("7")))),
        (answer(&[]), "failed: the server's answer says not", Some((Other, None))),
        (plain("200 OK", "", "<html>"), "failed: the server's answer says not", Some((Other, None))),
        (plain("502 Bad", "", ""), "deferred", None),
    ];
    let ran = check(way, "+491", "Grüße €", cases).await;
    assert!(ran.requests[0].starts_with("POST /sms/json HTTP/1.1\r\n"));
    let expected =
        [("api_key", "k"), ("api_secret", "s"), ("from", "Shop"), ("to", "491"), ("text", "Grüße €"), ("type", "text")];
    assert_eq!(fields(ran.body(0)), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let ran = check(way, "+491", "Привет", vec![(answer(&["0"]), "sent", None)]).await;
    assert_eq!(fields(ran.body(0))["type"], "unicode");
}

#[tokio::test]
async fn aliyun_sms() {
    let answer = |status: &str, code: &str| {
        plain(status, "", &json!({ "Code": code, "Message": "+86138 is wrong", "RequestId": "R" }).to_string())
    };
    let options = [("key_id", "id"), ("key_secret", "s3"), ("sign_name", "商店"), ("template_code", "SMS_1")];
    let way = |server: &str| preset(Preset::AliyunSms, &options, Some("url"), server);
    let cases = vec![
        (answer("200 OK", "OK"), "sent", None),
        (
            answer("200 OK", "isv.MOBILE_NUMBER_ILLEGAL"),
            "failed: the provider refused it with isv.MOBILE_NUMBER_ILLEGAL",
            Some((Hard, Some("isv.MOBILE_NUMBER_ILLEGAL"))),
        ),
        (answer("200 OK", "isv.BUSINESS_LIMIT_CONTROL"), "deferred", None),
        (answer("400 Bad", "Throttling.User"), "deferred", None),
        (answer("403 No", "SignatureDoesNotMatch"), "failed", Some((Other, Some("SignatureDoesNotMatch")))),
        (plain("200 OK", "", ""), "failed: the server's answer says not", Some((Other, None))),
        (plain("504 Late", "", ""), "deferred", None),
    ];
    let ran = check(way, "+86138", "你好 ~*'", cases).await;
    assert!(ran.requests[0].starts_with("POST / HTTP/1.1\r\n"));
    let mut sent = fields(ran.body(0));
    let signature = sent.remove("Signature").unwrap();
    assert_eq!(
        (sent["PhoneNumbers"].as_str(), sent["SignName"].as_str(), sent["OutId"].as_str()),
        ("+86138", "商店", "7.1.hello.ab12")
    );
    let values: Value = serde_json::from_str(&sent["TemplateParam"]).unwrap();
    assert_eq!(values, json!({ "body": "你好 ~*'", "code": "42", "n": "7" }));
    // As the provider's documentation describes it, byte by byte.
    let encoded = |text: &str| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
        text.bytes()
            .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
    };
    let query: Vec<String> = sent.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"s3&");
    let expected = hmac::sign(&key, format!("POST&%2F&{}", encoded(&query.join("&"))).as_bytes());
    assert_eq!(signature, STANDARD.encode(expected));
}

#[tokio::test]
async fn slack() {
    let way = |server: &str| preset(Preset::Slack, &[], Some("webhook"), server);
    let cases = vec![
        (plain("200 OK", "", "ok"), "sent", None),
        (
            plain("200 OK", "", "invalid_token"),
            "failed: the provider refused it with invalid_token",
            Some((Other, Some("invalid_token"))),
        ),
        (plain("200 OK", "", "<html>"), "failed: the server's answer is not", Some((Other, None))),
        (
            plain("410 Gone", "", "channel_is_archived"),
            "failed: the provider refused it with channel_is_archived",
            Some((Other, Some("channel_is_archived"))),
        ),
        (plain("429 Slow", "Retry-After: 1\r\n", "rate_limited"), "deferred: the server answered 429, retry after 1", None),
    ];
    let ran = check(way, "nobody", "<!channel> & \"you\"", cases).await;
    assert_eq!(ran.body(0), r#"{"text":"&lt;!channel&gt; &amp; \"you\""}"#);
}

#[tokio::test]
async fn wecom() {
    let answer = |code: i32| plain("200 OK", "", &json!({ "errcode": code, "errmsg": "x" }).to_string());
    let way = |server: &str| preset(Preset::Wecom, &[], Some("webhook"), server);
    let cases = vec![
        (answer(0), "sent", None),
        (answer(-1), "deferred", None),
        (answer(45009), "deferred: the provider refused it with errcode 45009", None),
        (answer(93000), "failed: the provider refused it with errcode 93000", Some((Other, Some("93000")))),
        (plain("200 OK", "", "{}"), "failed: the server's answer is not", Some((Other, None))),
    ];
    let ran = check(way, "nobody", "你好", cases).await;
    assert_eq!(serde_json::from_str::<Value>(ran.body(0)).unwrap(), json!({ "msgtype": "text", "text": { "content": "你好" } }));
}

#[tokio::test]
async fn fcm() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    let dashes = "-".repeat(5);
    let pem = format!("{dashes}BEGIN PRIVATE KEY{dashes}\n{}\n{dashes}END PRIVATE KEY{dashes}\n", STANDARD.encode(der.as_ref()));
    let token = |until: i64| {
        plain("200 OK", "", &json!({ "access_token": "ya29", "expires_in": until, "token_type": "Bearer" }).to_string())
    };
    let error = |status: &str, code: &str| {
        plain(
            status,
            "",
            &json!({ "error": { "code": 404, "status": "NOT_FOUND", "details": [{ "errorCode": code }] } }).to_string(),
        )
    };
    let way = |server: &str| {
        let account = json!({
            "type": "service_account", "project_id": "shop-1", "client_email": "a@shop.example", "private_key": pem,
            "private_key_id": "k1", "token_uri": format!("{server}/token"),
        });
        preset(Preset::Fcm, &[("service_account", &account.to_string())], Some("url"), server)
    };
    // The token of the first is too short-lived for the second; that of the second serves until one is refused.
    let message = || Content { subject: Some("Hello".to_owned()), ..content("Hi", json!({})) };
    let answers = vec![
        token(30),
        plain("200 OK", "", r#"{"name": "x"}"#),
        token(3600),
        error("404 No", "UNREGISTERED"),
        error("400 No", "INVALID_ARGUMENT"),
        error("401 No", "THIRD_PARTY_AUTH_ERROR"),
        plain("400 Bad", "", r#"{"error": "invalid_grant"}"#),
        token(3600),
        error("503 Busy", "UNAVAILABLE"),
    ];
    let ran = run(way, (0..6).map(|_| ("device", message())).collect(), answers).await;
    let found: Vec<String> = ran.reports.iter().map(|report| words(&report.outcome)).collect();
    for (found, expected) in found.iter().zip([
        "sent",
        "failed: the provider refused it with UNREGISTERED",
        "failed: the provider refused it with INVALID_ARGUMENT",
        "deferred: the server answered 401",
        "deferred: no access token for the service account: the server answered 400, error invalid_grant",
        "deferred: the server answered 503",
    ]) {
        assert!(found.starts_with(expected), "{found}, not {expected}");
    }
    let kinds: Vec<_> = ran.reports.iter().map(|report| report.refusal.as_ref().map(|refusal| refusal.kind)).collect();
    assert_eq!(kinds, [None, Some(Hard), Some(Other), None, None, None]);
    let paths: Vec<&str> = ran.requests.iter().map(|request| request.split(' ').nth(1).unwrap()).collect();
    let (ask, send) = ("/token", "/v1/projects/shop-1/messages:send");
    assert_eq!(paths, [ask, send, ask, send, send, send, ask, ask, send]);
    assert_eq!(ran.header(1, "authorization"), Some("Bearer ya29"));
    let expected = json!({ "message": { "token": "device", "notification": { "title": "Hello", "body": "Hi" } } });
    assert_eq!(serde_json::from_str::<Value>(ran.body(1)).unwrap(), expected);
    let asked = fields(ran.body(0));
    assert_eq!(asked["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (signed, signature) = asked["assertion"].rsplit_once('.').unwrap();
    let public = key.public_key().as_ref();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(signed.as_bytes(), &signature).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap()).unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert_eq!(
        (claims["iss"].as_str(), claims["aud"].as_str().map(|uri| uri.ends_with("/token"))),
        (Some("a@shop.example"), Some(true))
    );
}
