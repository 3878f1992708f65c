//! The client against a server that does as it is told.

use hyper::header::CONTENT_TYPE;
use rcgen::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::test_server::{Act, Server, plain, say, start};
use super::*;

fn client() -> Connections {
    let guard = Guard::new(&["127.0.0.1".to_owned(), "localhost".to_owned()]);
    Connections::new(Arc::new(Client::trusting(guard, RootCertStore::empty())))
}

fn post(url: &str, body: &str) -> Request {
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("text/plain"))];
    Request { method: Method::POST, url: Url::parse(url).unwrap(), headers, body: body.to_owned() }
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

/// Makes requests one after the other, and gives what became of each in words.
async fn run(server: &Server, requests: usize, within: Duration) -> Vec<String> {
    let mut client = client();
    let mut results = Vec::new();
    for number in 0..requests {
        let url = format!("http://127.0.0.1:{}/x?n={number}", server.port);
        results.push(match client.send(post(&url, "Hello"), within).await {
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body).chars().take(20).collect::<String>();
                format!("{} {body}", answer.status)
            }
            Err(trouble) => format!("{}: {trouble}", if trouble.is_in_doubt() { "doubt" } else { "no" }),
        });
    }
    results
}

#[tokio::test]
async fn a_connection_is_kept_and_a_dead_one_replaced() {
    let server = start(
        vec![plain("200 OK", "", "one"), plain("201 Created", "Connection: close\r\n", "two"), plain("500 No", "", "")],
        None,
    )
    .await;
    assert_eq!(run(&server, 3, LONG).await, ["200 one", "201 two", "500 "]);
    let seen = server.seen.lock().unwrap();
    let connections: Vec<usize> = seen.iter().map(|(number, _)| *number).collect();
    assert_eq!(connections, [1, 1, 2]);
    let host = server.port;
    assert_eq!(
        seen[0].1,
        format!("POST /x?n=0 HTTP/1.1\r\nhost: 127.0.0.1:{host}\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nHello")
    );
}

#[tokio::test]
async fn it_is_known_whether_a_request_may_have_been_taken() {
    let check = async |acts: Vec<Act>, expected: &str| {
        let server = start(acts, None).await;
        let found = run(&server, 1, SHORT).await.remove(0);
        assert!(found.starts_with(expected), "{found}, not {expected}");
    };
    check(vec![], "doubt: there was no answer within 200ms").await;
    check(vec![(Vec::new(), true)], "doubt: the connection was lost").await;
    check(vec![say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")], "doubt: there was no answer").await;
    check(vec![(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec(), true)], "doubt: the connection was lost").await;
    check(vec![say("220 mx.example ESMTP\r\n")], "doubt: the connection was lost").await;
    check(vec![say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")], "200 x").await;
    let nobody = Server { port: 1, seen: Arc::default() };
    assert!(run(&nobody, 1, SHORT).await[0].starts_with("no: the host to call could not be connected to"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_a_long_one_is_cut() {
    let long = "x".repeat(200_000);
    let server = start(
        vec![
            plain("302 Found", "Location: http://127.0.0.1:1/\r\nRetry-After: 7\r\n", ""),
            plain("200 OK", "", &long),
            plain("200 OK", "", "next"),
            say(&format!("HTTP/1.1 200 OK\r\nX: {long}\r\n\r\n")),
        ],
        None,
    )
    .await;
    let mut client = client();
    let url = format!("http://localhost:{}/", server.port);
    let answer = client.send(post(&url, ""), LONG).await.unwrap();
    assert_eq!((answer.status, answer.retry_after.as_deref()), (302, Some("7")));
    let answer = client.send(post(&url, ""), LONG).await.unwrap();
    assert_eq!((answer.body.len(), answer.whole), (MOST_READ, false));
    // What is left of the long one is not taken for the next.
    assert_eq!(client.send(post(&url, ""), LONG).await.unwrap().body, b"next");
    assert!(client.send(post(&url, ""), LONG).await.unwrap_err().is_in_doubt());
    let connections: Vec<usize> = server.seen.lock().unwrap().iter().map(|(number, _)| *number).collect();
    assert_eq!(connections, [1, 1, 2, 2]);
}

#[tokio::test]
async fn nothing_private_is_called_unless_it_is_listed() {
    let server = start(vec![plain("200 OK", "", "secret")], None).await;
    let check = async |listed: &[&str], host: &str, allowed: bool| {
        let listed: Vec<String> = listed.iter().map(|host| (*host).to_owned()).collect();
        let mut client = Connections::new(Arc::new(Client::trusting(Guard::new(&listed), RootCertStore::empty())));
        let url = format!("http://{host}:{}/", server.port);
        let found = client.send(post(&url, ""), SHORT).await;
        let refused = matches!(found, Err(Trouble::Private));
        assert_eq!(refused, !allowed, "{host} with {listed:?}: {found:?}");
    };
    let everywhere =
        ["127.0.0.1", "127.1.2.3", "0.0.0.0", "localhost", "localhost.", "LOCALHOST", "[::1]", "[::]", "[::ffff:127.0.0.1]"];
    for host in everywhere.into_iter().chain(["169.254.169.254", "[64:ff9b::7f00:1]", "[fd00:ec2::254]", "10.0.0.1", "①②⑦.0.0.1"])
    {
        check(&[], host, false).await;
        check(&["crm.internal"], host, false).await;
    }
    assert!(server.seen.lock().unwrap().is_empty());
    check(&["127.0.0.1"], "localhost", false).await;
    check(&["localhost"], "127.0.0.1", false).await;
    check(&["localhost"], "localhost.", true).await;
    check(&["[::1]"], "[::1]", true).await;
}

fn acceptor(key: &CertifiedKey<rcgen::KeyPair>) -> TlsAcceptor {
    let secret = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], secret)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn a_certificate_must_be_that_of_the_host() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let server = start(vec![plain("200 OK", "", "safe")], Some(acceptor(&key))).await;
    let guard = Guard::new(&["127.0.0.1".to_owned(), "localhost".to_owned()]);
    let mut roots = RootCertStore::empty();
    roots.add(key.cert.der().clone()).unwrap();
    let stranger = Connections::new(Arc::new(Client::trusting(guard.clone(), RootCertStore::empty())));
    let trusting = || Connections::new(Arc::new(Client::trusting(guard.clone(), roots.clone())));
    for (mut client, host, good) in
        [(stranger, "localhost", false), (trusting(), "127.0.0.1", false), (trusting(), "localhost", true)]
    {
        let found = client.send(post(&format!("https://{host}:{}/", server.port), ""), LONG).await;
        assert_eq!(found.is_ok(), good, "{host}: {found:?}");
        assert!(good || matches!(found, Err(Trouble::Tls(_))), "{found:?}");
    }
}
