//! The description of the HTTP interface (OpenAPI 3.1), true to what the other files here do.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::enroll::LONGEST_KEY;
use super::tracking::{EXACT, LONGEST_ID};

static DOCUMENT: LazyLock<String> = LazyLock::new(|| made().to_string());

pub async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

fn made() -> Value {
    let mut paths = Map::new();
    for (name, schema, summary) in [
        (
            "identify",
            "Identify",
            "Says who somebody is, and what is known of them. With both ids, what is known under the anonymous one is theirs.",
        ),
        ("track", "Track", "Says that somebody did something."),
        ("page", "View", "Says that somebody saw a page: the event `page`."),
        ("screen", "View", "Says that somebody saw a screen: the event `screen`."),
        ("group", "Group", "Says that somebody belongs to a group: the event `group`, with the property `group_id`."),
        ("alias", "Alias", "Says that two ids are the same person's."),
    ] {
        paths.insert(format!("/v1/{name}"), call(name, schema, "Success", summary));
    }
    let summary = "Several calls in one, in order. What can be used is stored; what cannot is listed in the answer.";
    paths.insert("/v1/batch".to_owned(), call("batch", "Batch", "Batched", summary));
    let summary = "A batch of what happened long ago: it counts, and starts nothing.";
    paths.insert("/v1/import".to_owned(), call("import", "Batch", "Batched", summary));
    paths.insert("/v1/workflows/{name}/enroll".to_owned(), enroll());
    paths.insert("/v1/segments/{name}".to_owned(), members());
    paths.insert("/v1/bounces/{name}".to_owned(), bounces());
    paths.insert("/v1/plan".to_owned(), plan());
    for (path, name, media, summary, busy) in [
        ("/healthz", "alive", "text/plain", "200 while the process lives.", true),
        ("/readyz", "ready", "text/plain", "200 while definitions are in force and the store works.", true),
        ("/metrics", "metrics", "text/plain", "Figures, as Prometheus reads them.", false),
        ("/openapi.json", "openapi", "application/json", "This document.", false),
    ] {
        paths.insert(path.to_owned(), open(name, media, summary, busy));
    }
    for (path, name, get, post) in [
        (
            "/u/{token}",
            "unsubscribe",
            UNSUBSCRIBE,
            "Unsubscribes from the mail's topic, or as the page's form says; a mail program's one click (RFC 8058).",
        ),
        ("/preferences/{token}", "preferences", "A page where topics are chosen.", "Saves the choice of topics."),
        (
            "/confirm/{token}",
            "confirm",
            "A page that asks for the second half of a double opt-in.",
            "Confirms a subscription that waits for it.",
        ),
    ] {
        paths.insert(path.to_owned(), page(name, get, post));
    }
    paths.insert(
        "/c/{token}".to_owned(),
        followed("click", "A link in a message: leads on to where it was meant to, and counts.", "302"),
    );
    paths.insert("/o/{token}".to_owned(), followed("open", "The image at the end of a message: counts.", "200"));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "campaignd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Contacts and events in, by the Segment tracking spec. An answer of 200 is durable.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "key": [] }, { "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": { "type": "http", "scheme": "basic", "description": "A write key as the user name, and no password." },
                "bearer": { "type": "http", "scheme": "bearer", "description": "A write key." },
            },
            "responses": problems(),
            "schemas": schemas(),
        },
    })
}

fn call(name: &str, schema: &str, answer: &str, summary: &str) -> Value {
    let body = json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } });
    let good = json!({
        "description": "Stored, and durable.",
        "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{answer}") } } },
    });
    json!({ "post": {
        "operationId": name,
        "summary": summary,
        "description": "A body has at most 1 MiB; it may be packed (Content-Encoding: gzip), and counts unpacked.",
        "requestBody": { "required": true, "content": body },
        "responses": answers(good, &["400", "401", "403", "408", "413", "415", "429", "503"]),
    } })
}

fn enroll() -> Value {
    let good = json!({
        "description": "The contact entered, or the workflow's own rules kept them out.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Enrolled" } } },
    });
    json!({ "post": {
        "operationId": "enroll",
        "summary": "Lets a contact enter a workflow that has a manual trigger.",
        "parameters": [
            { "name": "name", "in": "path", "required": true, "description": "The workflow.", "schema": { "type": "string", "minLength": 1 } },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "The same key gets the same answer, and enters nobody again.",
                "schema": { "type": "string", "pattern": format!("^[!-~]{{1,{LONGEST_KEY}}}$") },
            },
        ],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Enrolment" } } },
        },
        "responses": answers(good, &["400", "401", "403", "404", "408", "409", "413", "415", "422", "429", "503"]),
    } })
}

fn members() -> Value {
    let good = json!({
        "description": "How many came onto the list and left it, and which ids lead to no contact.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/ChangedMembers" } } },
    });
    json!({ "post": {
        "operationId": "changeMembers",
        "summary": "Puts contacts on the list of a static segment, and takes them off it.",
        "parameters": [
            { "name": "name", "in": "path", "required": true, "description": "The segment.", "schema": { "type": "string", "minLength": 1 } },
        ],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Members" } } },
        },
        "responses": answers(good, &["400", "401", "403", "404", "408", "409", "413", "415", "429", "503"]),
    } })
}

fn plan() -> Value {
    let good = json!({
        "description": "The plan, as `campaignd plan --format json` prints it. Nothing was changed.",
        "content": { "application/json": { "schema": { "type": "object", "required": ["project", "at", "tree", "unchanged", "workflows"] } } },
    });
    let words = "The compiled project, as `campaignd plan --url` of the same version sends it, without secrets; at most 32 MiB after unpacking.";
    json!({ "post": {
        "operationId": "plan",
        "summary": "Says what a project's definitions would change here: definitions, runs inside, who would enter.",
        "requestBody": {
            "required": true,
            "description": words,
            "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["settings", "workflows", "segments", "backfill", "traits", "hash"],
            } } },
        },
        "responses": answers(good, &["400", "401", "403", "404", "408", "413", "415", "429", "503"]),
    } })
}

fn bounces() -> Value {
    let good = json!({
        "description": "Taken, and durable; what was told before counts once.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Taken" } } },
    });
    json!({ "post": {
        "operationId": "bounces",
        "summary": "Says that messages bounced, were complained about, or arrived.",
        "description": "In the form of the webhook's provider, which proves by a signature of its own who it is; raw messages (RFC 3464, RFC 5965) \
            come with a write key. A body has at most 1 MiB.",
        "parameters": [
            { "name": "name", "in": "path", "required": true, "description": "The webhook, by its name in the settings.", "schema": { "type": "string", "minLength": 1 } },
        ],
        "requestBody": {
            "required": true,
            "content": {
                "application/json": { "schema": { "type": ["object", "array"], "description": "A provider's message." } },
                "message/rfc822": { "schema": { "type": "string", "description": "A mail." } },
            },
        },
        "responses": answers(good, &["400", "401", "403", "404", "408", "413", "415", "429", "503"]),
    } })
}

/// Something that anybody may look at.
fn open(name: &str, media: &str, summary: &str, busy: bool) -> Value {
    let schema = if media == "application/json" { json!({ "type": "object" }) } else { json!({ "type": "string" }) };
    let good = json!({ "description": "Fine.", "content": { media: { "schema": schema } } });
    let others: &[&str] = if busy { &["503"] } else { &[] };
    json!({ "get": { "operationId": name, "summary": summary, "security": [], "responses": answers(good, others) } })
}

const UNSUBSCRIBE: &str = "A page that asks which mails are no longer wanted. Looking at it changes nothing.";

/// A page for people, behind a link that was sent to them.
fn page(name: &str, get: &str, post: &str) -> Value {
    let html =
        |description: &str| json!({ "description": description, "content": { "text/html": { "schema": { "type": "string" } } } });
    let dead = html("The link is forged, cut, or of somebody who is gone: a page that says what to do.");
    let later = html("Nothing can be saved at the moment: a page that says so.");
    let form = json!({ "type": "object", "additionalProperties": true });
    let bodies = json!({ "application/x-www-form-urlencoded": { "schema": form }, "multipart/form-data": { "schema": form } });
    let problem = |status: &str| json!({ "$ref": format!("#/components/responses/{}", word(status)) });
    json!({
        "parameters": [token()],
        "get": {
            "operationId": name,
            "summary": get,
            "security": [],
            "responses": { "200": html("The page, in the contact's language."), "404": dead, "503": later },
        },
        "post": {
            "operationId": format!("{name}Done"),
            "summary": post,
            "security": [],
            "requestBody": { "required": false, "content": bodies },
            "responses": {
                "200": html("Done, and durable."),
                "400": problem("400"), "404": dead, "408": problem("408"), "413": problem("413"), "415": problem("415"), "429": later, "503": later,
            },
        },
    })
}

/// What stands in messages where opens or clicks are tracked.
fn followed(name: &str, summary: &str, status: &str) -> Value {
    let good = match status {
        "302" => json!({
            "description": "To the address that was signed, and to no other.",
            "headers": { "Location": { "schema": { "type": "string", "format": "uri" } } },
        }),
        _ => {
            json!({ "description": "A transparent image.", "content": { "image/gif": { "schema": { "type": "string", "format": "binary" } } } })
        }
    };
    let responses = json!({ status: good, "404": { "$ref": format!("#/components/responses/{}", word("404")) } });
    json!({ "parameters": [token()], "get": { "operationId": name, "summary": summary, "security": [], "responses": responses } })
}

fn token() -> Value {
    json!({ "name": "token", "in": "path", "required": true, "description": "Signed by this runner.", "schema": { "type": "string", "minLength": 1 } })
}

fn answers(good: Value, others: &[&str]) -> Value {
    let mut all = Map::from_iter([("200".to_owned(), good)]);
    all.extend(others.iter().map(|status| {
        let problem = json!({ "$ref": format!("#/components/responses/{}", word(status)) });
        ((*status).to_owned(), problem)
    }));
    Value::Object(all)
}

const PROBLEMS: [(&str, &str, &str); 11] = [
    ("400", "Wrong", "Nothing in it can be used: what is wrong, and where."),
    ("401", "Unauthorized", "A write key is needed."),
    ("403", "Forbidden", "Without write keys only the machine itself is answered. Of a webhook: its signature is wrong, or old."),
    ("404", "Unknown", "There is no such workflow, segment, contact or webhook, or the link was not made here."),
    ("408", "Slow", "The body took too long to arrive."),
    (
        "409",
        "NotNow",
        "Nobody gets in: the workflow has no manual trigger, or is a draft, paused or closed; the segment is dynamic.",
    ),
    ("413", "TooLarge", "The body is longer than 1 MiB, after unpacking."),
    ("415", "Encoding", "The Content-Encoding is not known."),
    ("422", "KeyReused", "The Idempotency-Key was used for another enrolment."),
    ("429", "Busy", "More comes in than can be stored at once."),
    ("503", "Unavailable", "Nothing can be stored at the moment, or the runner stops."),
];

fn word(status: &str) -> &'static str {
    PROBLEMS.iter().find(|(known, ..)| *known == status).map_or("Wrong", |(_, word, _)| word)
}

fn problems() -> Value {
    let headers = |status: &str| match status {
        "401" => json!({ "WWW-Authenticate": { "schema": { "type": "string" } } }),
        "429" => json!({ "Retry-After": { "schema": { "type": "integer" } } }),
        _ => json!({}),
    };
    let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let all = PROBLEMS.iter().map(|(status, word, description)| {
        ((*word).to_owned(), json!({ "description": description, "headers": headers(status), "content": content }))
    });
    Value::Object(all.collect())
}

fn schemas() -> Value {
    json!({
        "Problem": {
            "type": "object",
            "required": ["code", "message", "field"],
            "properties": {
                "code": { "type": "string", "description": "A word for programs." },
                "message": { "type": "string", "description": "For people; it holds no value that was sent." },
                "field": { "type": ["string", "null"], "description": "Where in the body: batch[3].userId; null for the whole." },
            },
        },
        "Success": success(json!({})),
        "Batched": success(json!({ "rejected": { "type": "array", "items": { "$ref": "#/components/schemas/Rejected" } } })),
        "Rejected": {
            "allOf": [{ "$ref": "#/components/schemas/Problem" }],
            "required": ["index", "messageId"],
            "properties": { "index": { "type": "integer", "minimum": 0 }, "messageId": { "type": ["string", "null"] } },
        },
        "Enrolment": {
            "type": "object",
            "required": ["contact"],
            "additionalProperties": false,
            "properties": {
                "contact": { "type": "string", "minLength": 1, "description": "The contact's id." },
                "with": { "type": ["object", "null"], "description": "What becomes event.* of the run." },
            },
        },
        "Enrolled": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": {
                "run": { "type": "string", "description": "Entered: the run's id." },
                "ignored": {
                    "enum": ["audience", "active", "reentry"],
                    "description": "Kept out: not in the audience, inside already, or reentry does not allow it (yet).",
                },
            },
        },
        "Members": {
            "type": "object",
            "additionalProperties": false,
            "anyOf": [
                { "required": ["add"], "properties": { "add": { "type": "array", "minItems": 1 } } },
                { "required": ["remove"], "properties": { "remove": { "type": "array", "minItems": 1 } } },
            ],
            "properties": {
                "add": { "type": ["array", "null"], "items": { "type": "string", "minLength": 1 }, "description": "Contacts' ids." },
                "remove": { "type": ["array", "null"], "items": { "type": "string", "minLength": 1 }, "description": "Contacts' ids." },
            },
        },
        "ChangedMembers": {
            "type": "object",
            "required": ["added", "removed", "unknown"],
            "additionalProperties": false,
            "properties": {
                "added": { "type": "integer", "minimum": 0 },
                "removed": { "type": "integer", "minimum": 0 },
                "unknown": { "type": "array", "items": { "type": "string" } },
            },
        },
        "Taken": {
            "type": "object",
            "required": ["taken"],
            "additionalProperties": false,
            "properties": { "taken": { "type": "integer", "minimum": 0, "description": "How many messages it says something of." } },
        },
        "Traits": {
            "type": ["object", "null"],
            "description": "What is known of the person: null removes. Everything that is not named here is an attribute.",
            "properties": {
                "email": { "anyOf": [{ "type": "string", "format": "email" }, { "type": "null" }] },
                "phone": { "type": ["string", "null"] },
                "locale": { "type": ["string", "null"] },
                "time_zone": { "type": ["string", "null"], "description": "IANA name." },
                "topics": {
                    "type": ["array", "null"],
                    "items": { "type": "string" },
                    "description": "The topics subscribed to: all others are not.",
                },
            },
        },
        "Identify": item(json!({ "traits": { "$ref": "#/components/schemas/Traits" } }), &[], true),
        "Track": item(json!({ "event": name("The event's name."), "properties": data() }), &["event"], true),
        "View": item(
            json!({ "name": { "type": ["string", "null"] }, "category": { "type": ["string", "null"] }, "properties": data() }),
            &[],
            true,
        ),
        "Group": item(json!({ "groupId": name("The group."), "traits": data() }), &["groupId"], true),
        "Alias": item(json!({ "previousId": name("The id until now."), "userId": name("The id from now on.") }), &["previousId", "userId"], false),
        "Item": {
            "oneOf": [typed("identify", "Identify"), typed("track", "Track"), typed("page", "View"), typed("screen", "View"),
                typed("group", "Group"), typed("alias", "Alias")],
        },
        "Batch": {
            "type": "object",
            "required": ["batch"],
            "properties": {
                "batch": {
                    "type": "array",
                    "minItems": 1,
                    "contains": { "$ref": "#/components/schemas/Item" },
                    "description": "Calls with their `type`. One that can be used is enough; the others are listed in the answer.",
                },
                "sentAt": time("By the sender's clock: puts every `timestamp` right."),
            },
        },
    })
}

fn success(more: Value) -> Value {
    let mut properties = json!({ "success": { "const": true } });
    let mut required = vec!["success".to_owned()];
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
        required.extend(more.keys().cloned());
        properties.extend(more);
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

/// A call: its own fields, and those that all have. `about_somebody`: it needs one of the ids.
fn item(own: Value, required: &[&str], about_somebody: bool) -> Value {
    let mut properties = json!({
        "messageId": id("The same id counts once."),
        "timestamp": time("When it happened, ISO 8601; now, if it is not given or lies in the future."),
        "originalTimestamp": time("The same, where there is no `timestamp`."),
        "sentAt": time("When it was sent, by the sender's clock: puts `timestamp` right."),
    });
    if about_somebody {
        properties["userId"] = id("Who did it.");
        properties["anonymousId"] = id("The same, of somebody of whom no more is known yet.");
    }
    if let (Value::Object(properties), Value::Object(own)) = (&mut properties, own) {
        properties.extend(own);
    }
    let mut schema = json!({ "type": "object", "required": required, "properties": properties });
    if about_somebody {
        let needs =
            |id: &str| json!({ "required": [id], "properties": { id: { "type": ["string", "integer"], "minLength": 1 } } });
        schema["anyOf"] = json!([needs("userId"), needs("anonymousId")]);
    }
    schema
}

fn typed(kind: &str, schema: &str) -> Value {
    json!({
        "allOf": [{ "$ref": format!("#/components/schemas/{schema}") }],
        "required": ["type"],
        "properties": { "type": { "const": kind } },
    })
}

/// An id that may be missing.
fn id(description: &str) -> Value {
    json!({
        "type": ["string", "integer", "null"],
        "maxLength": LONGEST_ID,
        "pattern": NO_CONTROLS,
        "minimum": -EXACT,
        "maximum": EXACT,
        "description": description,
    })
}

/// One that may not.
fn name(description: &str) -> Value {
    let mut name = id(description);
    name["type"] = json!(["string", "integer"]);
    name["minLength"] = json!(1);
    name
}

fn data() -> Value {
    json!({ "type": ["object", "null"] })
}

fn time(description: &str) -> Value {
    json!({ "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "null" }], "description": description })
}

const NO_CONTROLS: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in it leads somewhere.
    fn check(node: &Value, document: &Value) {
        match node {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                }
                members.values().for_each(|value| check(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| check(value, document)),
            _ => {}
        }
    }

    #[test]
    fn is_whole() {
        let document = made();
        check(&document, &document);
        assert_eq!(document["paths"].as_object().unwrap().len(), 21);
    }
}
