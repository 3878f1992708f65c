//! What `call` steps ask for.

use dsl::model::{Call, Method, OnTrouble, Retry};

use super::*;

fn call(url: &str) -> Call {
    Call {
        method: Method::Post,
        url: url.to_owned(),
        headers: BTreeMap::new(),
        json: None,
        sign: None,
        timeout: Span(300),
        retry: Retry { first: Span(0), most: Span(0), for_: Span(0) },
        save: None,
        on_error: OnTrouble::Continue,
    }
}

async fn carried(change: impl Fn(&mut Call), data: Value, answers: Vec<Act>) -> Ran {
    let secrets = [("crm", "tok{en"), ("hook", "whsec_c2VjcmV0")].map(|(name, text)| (name.to_owned(), Secret(text.to_owned())));
    let server = start(answers, None).await;
    let mut call = call(&format!("http://127.0.0.1:{}/contacts/{{{{contact.id}}}}", server.port));
    change(&mut call);
    let content = Content { call: Some(call), data: Some(data), ..Content::default() };
    let ran = run(|_| HttpWay::Calls(secrets.into()), vec![("", content)], Vec::new()).await;
    let requests = server.seen.lock().unwrap().iter().map(|(_, request)| request.clone()).collect();
    Ran { requests, ..ran }
}

fn data() -> Value {
    json!({ "contact": { "id": "ada/1" }, "vars": { "n": 3 }, "secrets": { "crm": "not this" } })
}

#[tokio::test]
async fn a_call_is_filled_in_signed_and_answered() {
    let change = |call: &mut Call| {
        call.method = Method::Put;
        call.headers = [("Authorization", "Bearer {{secrets.crm}}"), ("X-Id", "{{contact.id}}")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into();
        call.json = json!({ "n": "{{vars.n}}", "secret": "{{default secrets.hook \"none\"}}" }).as_object().cloned();
        call.sign = Some("hook".to_owned());
    };
    let ran = carried(change, data(), vec![plain("200 OK", "", r#"{"ticket": 12}"#)]).await;
    assert!(ran.requests[0].starts_with("PUT /contacts/ada%2F1 HTTP/1.1\r\n"), "{}", ran.requests[0]);
    assert_eq!(ran.header(0, "authorization"), Some("Bearer tok{en"));
    assert_eq!(ran.header(0, "x-id"), Some("ada/1"));
    assert_eq!(ran.header(0, "idempotency-key"), Some("7.1.hello.ab12"));
    assert!(ran.header(0, "webhook-signature").unwrap().starts_with("v1,"));
    assert_eq!(ran.body(0), r#"{"n":"3","secret":"none"}"#);
    assert_eq!((&ran.reports[0].outcome, &ran.reports[0].answer), (&Outcome::Sent, &Some(json!({ "ticket": 12 }))));
}

#[tokio::test]
async fn an_answer_is_json_text_or_nothing() {
    for (answer, expected) in
        [("[1]", json!([1])), ("fine", json!("fine")), ("", json!(null)), ("\"x\"", json!("x")), ("{", json!("{"))]
    {
        let change = |call: &mut Call| call.method = Method::Get;
        let ran = carried(change, data(), vec![plain("200 OK", "", answer)]).await;
        assert_eq!(ran.reports[0].answer, Some(expected));
        assert!(ran.requests[0].starts_with("GET ") && ran.header(0, "content-type").is_none(), "{}", ran.requests[0]);
    }
}

#[tokio::test]
async fn a_call_without_an_answer_is_made_again() {
    for (answers, expected) in [
        (vec![], "deferred: there was no answer within 300ms"),
        (vec![(Vec::new(), true)], "deferred: the connection was lost"),
        (vec![plain("503 Busy", "", "")], "deferred: the server answered 503"),
        (vec![plain("404 No", "", "{\"error\":\"not_found\"}")], "failed: the server answered 404, error not_found"),
    ] {
        let ran = carried(|_| (), data(), answers).await;
        assert!(words(&ran.reports[0].outcome).starts_with(expected), "{:?}", ran.reports[0]);
        assert_eq!((&ran.reports[0].answer, &ran.reports[0].refusal), (&None, &None));
    }
    let failed = async |change: fn(&mut Call), expected: &str| {
        let ran = carried(change, data(), Vec::new()).await;
        assert!(words(&ran.reports[0].outcome).contains(expected), "{:?}", ran.reports[0]);
        assert!(ran.requests.is_empty());
    };
    failed(|call| call.url = "http://10.0.0.1/".to_owned(), "private network").await;
    failed(|call| call.url = "http://x/{{contact.name}}".to_owned(), "`contact.name` is missing").await;
    failed(|call| call.sign = Some("nope".to_owned()), "no secret `nope`").await;
    failed(|call| call.headers = [("X".to_owned(), "{{secrets.nope}}".to_owned())].into(), "`secrets.nope` is missing").await;
}
