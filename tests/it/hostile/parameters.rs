//! Requests that no route takes, and parameters that no route takes so.

use super::{http::Api, table::Table};
use probata_tests::Trouble;

const AREA: &str = "parameter";
const BAD: &str = "400 bad_parameter";

/// Sends every one. `institution` has records, so that pages of it have cursors.
pub(super) async fn send(api: &Api, institution: &str, table: &mut Table) -> Result<(), Trouble> {
    let id = "ab".repeat(32);
    let flow = "ab".repeat(16);
    for (name, path) in [
        ("an identifier that is too short", "/v1/records/abcd".to_owned()),
        ("an identifier in capitals", format!("/v1/records/{}", "AB".repeat(32))),
        ("an identifier that is not UTF-8", "/v1/records/%ff%fe".to_owned()),
        ("a path within an identifier", "/v1/records/..%2f..%2fetc%2fpasswd".to_owned()),
        ("an unknown parameter", "/v1/status?verbose=1".to_owned()),
        ("a parameter twice", format!("/v1/records/{id}/evidence?events=true&events=true")),
        (
            "a parameter that is neither true nor false",
            format!("/v1/records/{id}/evidence?events=1"),
        ),
        ("a query of 60,000 characters", format!("/v1/status?{}", "x".repeat(60_000))),
        ("a page of nothing", format!("/v1/flows/{flow}?limit=0")),
        ("a page that is too long", format!("/v1/flows/{flow}?limit=201")),
        ("a page of 10^40", format!("/v1/flows/{flow}?limit=1{}", "0".repeat(40))),
        ("a cursor that is none", format!("/v1/flows/{flow}?after=zz")),
        ("a cursor of 50,000 digits", format!("/v1/flows/{flow}?after={}", "0".repeat(50_000))),
        ("a search for nothing", "/v1/search".to_owned()),
        ("a search for two things", format!("/v1/search?flow={flow}&type=loan_contract")),
        ("a type that does not exist", "/v1/search?type=loan".to_owned()),
        (
            "an institution with a wrong check digit",
            "/v1/search?institution=91990000MA00000DE0".to_owned(),
        ),
        ("a time above 2^53 - 1", "/v1/search?from=9007199254740992".to_owned()),
        ("a height above 2^53 - 1", "/v1/headers/9007199254740992".to_owned()),
        ("a height below zero", "/v1/headers/-1".to_owned()),
        ("headers from a word", "/v1/headers?from=genesis".to_owned()),
    ] {
        table.note(AREA, name, BAD, api.get(&path).await?);
    }
    foreign_cursor(api, institution, table).await?;
    for (name, query) in [
        ("a wait of an hour", "wait_ms=3600000"),
        ("a wait below zero", "wait_ms=-1"),
        ("evidence of some", "evidence=some"),
    ] {
        let path = format!("/v1/submissions?{query}");
        let got = api.post_to(&path, "application/json", b"{}".to_vec()).await?;
        table.note(AREA, name, BAD, got);
    }
    for (name, expected, path) in [
        ("no such record", "404 not_found", format!("/v1/records/{id}")),
        ("no such submission", "404 not_found", format!("/v1/submissions/{id}")),
        ("the header of genesis", "404 not_found", "/v1/headers/0".to_owned()),
        (
            "the highest height that can be",
            "404 not_found",
            "/v1/headers/9007199254740991".to_owned(),
        ),
        ("no such route", "404 no_such_route", "/v1/admin".to_owned()),
        ("a path out of the API", "404 no_such_route", "/v1/../../etc/passwd".to_owned()),
    ] {
        table.note(AREA, name, expected, api.get(&path).await?);
    }
    let got = api.raw(b"DELETE /v1/status HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    table.note(AREA, "a method that the route does not take", "405 method_not_allowed", got);
    Ok(())
}

/// The cursor of one search, given to another.
async fn foreign_cursor(api: &Api, institution: &str, table: &mut Table) -> Result<(), Trouble> {
    let path = format!("/v1/search?institution={institution}&limit=1");
    let page = api.json(&path).await?;
    let cursor = page["next"].as_str().ok_or_else(|| Trouble::new("one page is all"))?;
    let path = format!("/v1/search?from=1&after={cursor}");
    table.note(AREA, "a cursor of another search, which is a place", "200", api.get(&path).await?);
    Ok(())
}
